"""Keep the freeze file of the built-in catalogue: ``make freeze`` adds what was released since, and replaces nothing."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import yaml

from nango_py.declare.catalogue import built_in_folder
from nango_py.versions.content import find
from nango_py.versions.freeze import Frozen, broken, freeze, frozen_text

__all__ = ["FILE", "changed", "grown", "is_released", "main", "read"]

FILE = Path(__file__).with_name("frozen.yaml")


def is_released(release: str = version("nango-py")) -> bool:
    """Tell whether versions are frozen by now: from 1.0 on."""
    return int(release.partition(".")[0]) >= 1


def read(file: Path = FILE) -> Frozen:
    """Return what is frozen."""
    return yaml.safe_load(file.read_text("utf-8"))


def changed(frozen: Frozen) -> list[str]:
    """Return what has changed though it is frozen."""
    return [f"{key} {part}" for key, parts in frozen.items() for part in broken(parts, find(f"builtin/{key}").data)]


def grown(frozen: Frozen, folder: Path) -> Frozen:
    """Return what is frozen with the versions and the actions that were released since."""
    keys = [
        f"{path.stem}:{name}"
        for path in sorted(folder.glob("*.yaml"))
        for name in yaml.safe_load(path.read_text("utf-8"))["versions"]
        if name.startswith("v")
    ]
    return {**frozen, **{key: freeze(find(f"builtin/{key}").data) for key in keys}}


def main() -> str | None:
    """Write the file; return what is in the way."""
    if not is_released():
        return f"{version('nango-py')} is before 1.0: nothing is frozen."
    frozen = read()
    if gone := changed(frozen):
        return f"released, and changed since: {', '.join(gone)}. Make a new version instead."
    FILE.write_text(frozen_text(grown(frozen, built_in_folder())), "utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main())
