"""Write plain data as YAML that people like to read and that :mod:`nango_py.yaml_text` reads back unchanged."""

from __future__ import annotations

import sys
from typing import Any

import yaml

from nango_py.document import scalar

__all__ = ["yaml_text"]

_WIDTH = 120


class _Dumper(yaml.SafeDumper):
    """Quote what would not be read back as the text it is, write lines as lines, and indent lists."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def process_scalar(self) -> None:
        """Write an expression in one line: a break in it helps nobody."""
        width = self.best_width
        if self.analysis is not None and "${" in self.analysis.scalar:
            self.best_width = sys.maxsize
        super().process_scalar()
        self.best_width = width

    def choose_scalar_style(self) -> str:
        """Return double quotes wherever the emitter wants single ones: our catalogue is written so."""
        style: str = super().choose_scalar_style()
        return '"' if style == "'" else style


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text and all(line.isprintable() and line == line.strip() for line in text.split("\n")):
        style = "|"
    elif text and not isinstance(scalar(text), str):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def yaml_text(data: Any) -> str:
    """Return *data* as YAML in block style, its order kept; the same data always give the same text."""
    return yaml.dump(
        data, Dumper=_Dumper, default_flow_style=False, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
