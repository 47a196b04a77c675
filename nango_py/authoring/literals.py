"""Write texts of others into templates: what looks like a placeholder in them is text."""

from __future__ import annotations

__all__ = ["followed_by", "literal"]


def literal(text: str) -> str:
    """Return the template of a text."""
    return text.replace("${", "$${")


def followed_by(template: str, more: str) -> str:
    """Return a template with another one behind it; dollars between the two stay text."""
    before = template.rstrip("$")
    if before == template or not more.startswith(("$", "{")):
        return template + more
    return f"{before}${{'{template[len(before) :]}'}}{more}"
