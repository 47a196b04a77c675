"""A suite for any blueprint: where credentials go, what is retried, walked, hidden, renewed, and what actions do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nango_py.engine import Nango
from nango_py.testing.checks import actions, origins, pages, placement, renewals, retries, secrecy
from nango_py.testing.checks.bench import Failed, Lab, Skipped
from nango_py.testing.simulator import declared_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nango_py.model import Integration

__all__ = ["Case", "Check", "conformance", "conformance_cases", "conformance_test"]

_SUBJECTS = (placement, origins, retries, pages, secrecy, renewals, actions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one check found; ``ok`` is None where there is nothing to check, and ``message`` says why."""

    id: str
    ok: bool | None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A check that was not made yet."""

    id: str
    work: Callable[[], None] = field(repr=False)

    def run(self) -> Check:
        """Make the check."""
        try:
            self.work()
        except Skipped as reason:
            return Check(id=self.id, ok=None, message=str(reason))
        except Failed as reason:
            return Check(id=self.id, ok=False, message=str(reason))
        except Exception as error:
            return Check(id=self.id, ok=False, message=f"{type(error).__name__}: {error}")
        return Check(id=self.id, ok=True)


def conformance_cases(
    source: str | Path | Integration | Mapping[str, Any],
    *,
    against: str | Path | Integration | Mapping[str, Any] | None = None,
    engine: Callable[..., Nango] | None = None,
    credentials: Mapping[str, Any] | None = None,
    connection_config: Mapping[str, str] | None = None,
    blueprints: Sequence[str | Path] = (),
) -> tuple[Case, ...]:
    """Return the checks of a blueprint, none made yet; see :func:`conformance`."""
    tested = declared_by(source, blueprints)
    lab = Lab(
        tested=tested,
        truth=tested if against is None else declared_by(against, blueprints),
        engine=engine or Nango.load,
        credentials=credentials,
        connection_config=connection_config,
    )
    return tuple(Case(id=name, work=work) for name, work in _all(lab))


def _all(lab: Lab) -> Iterator[tuple[str, Callable[[], None]]]:
    for subject in _SUBJECTS:
        yield from subject.checks(lab)


def conformance(source: str | Path | Integration | Mapping[str, Any], **options: Any) -> tuple[Check, ...]:
    """Check a blueprint: its key (``close:v0``), its file, or the keys of an integration.

    *options*: ``against``, another blueprint that says what the provider really does, such as the version before a
    change; ``credentials`` and ``connection_config``, where made-up ones do not fit; ``blueprints``, extra folders;
    ``engine``, what takes the place of ``Nango.load``.

    Raises:
        ConfigError: The blueprint does not load.
        UsageError: There is none, or it declares something that cannot be simulated.
    """
    return tuple(case.run() for case in conformance_cases(source, **options))


def conformance_test(source: str | Path | Integration | Mapping[str, Any], **options: Any) -> Callable[..., None]:
    """Return a test for pytest, parametrised by the checks of a blueprint; its name has to begin with ``test``."""
    import pytest  # noqa: PLC0415 - the command line checks without it

    @pytest.mark.parametrize("case", conformance_cases(source, **options), ids=lambda case: case.id)
    def test_conformance(case: Case) -> None:
        found = case.run()
        if found.ok is None:
            pytest.skip(found.message)
        assert found.ok, found.message  # noqa: S101 - a test

    return test_conformance
