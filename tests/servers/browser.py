"""Play the user's browser: go through a server's own login and consent pages, without a listener at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from tests.servers.launch import browse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

__all__ = ["visit", "walk"]

STEPS = 20


def walk(url: str, answers: Mapping[str, str], *, press: str | None = None) -> str:
    """Return the first address outside the server's origin that the pages behind ``url`` redirect to.

    ``answers`` fill every form that has fields of those names; a button is pressed only when an answer names it.
    Where a page has a link with ``press`` in its address, that is followed instead: so a user refuses.
    """
    end = visit(url, answers, press=press)
    assert end.next_request is not None, f"{end.url} answered {end.status_code}: {end.text[:3000]}"
    return str(end.next_request.url)


def visit(
    url: str, answers: Mapping[str, str], *, press: str | None = None, until: str | None = None
) -> httpx.Response:
    """Return the first answer that leaves the server's origin, that has no form, or that says ``until``."""
    with browse() as browser:
        answer = browser.get(url)
        home = _origin(answer.url)
        for _ in range(STEPS):
            request = answer.next_request or _submit(browser, answer, answers, press)
            if request is None or _origin(request.url) != home or (until and until in answer.text):
                return answer
            answer = browser.send(request)
    raise AssertionError(f"{url} came to no end in {STEPS} steps; {answer.url} says {answer.text[:3000]}")


@dataclass(slots=True)
class _Form:
    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(_Form(given.get("action", "")))
        elif self.found and tag in {"input", "button"} and given.get("name"):
            self._take(self.found[-1], given, given.get("type", "submit" if tag == "button" else "text"))

    @staticmethod
    def _take(form: _Form, given: Mapping[str, str], kind: str) -> None:
        form.names.add(given["name"])
        if kind != "submit":  # every box is ticked, as a user does who grants everything
            form.fields.setdefault(given["name"], []).append(given.get("value", ""))


def _submit(
    browser: httpx.Client, page: httpx.Response, answers: Mapping[str, str], press: str | None
) -> httpx.Request | None:
    link = re.search(rf'href="([^"]*{re.escape(press)}[^"]*)"', page.text) if press else None
    if link:
        return browser.build_request("GET", urljoin(str(page.url), unescape(link[1])))
    forms = _Forms()
    forms.feed(page.text)
    if not forms.found:
        return None
    form = max(forms.found, key=lambda form: len(form.names & answers.keys()))
    filled = {**form.fields, **{name: [text] for name, text in answers.items() if name in form.names}}
    headers = {"Origin": _origin(page.url), "Referer": str(page.url)}  # what forgery checks of servers look at
    return browser.build_request("POST", urljoin(str(page.url), form.action), data=filled, headers=headers)


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"
