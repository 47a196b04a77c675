"""A secret is found in whatever a program makes of it: every encoder of the list, and each after each other."""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from html import escape
from itertools import product
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nango_py.masking import HIDDEN, Mask, is_secret, is_telling, sent_secrets


def lower(text):
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def of_each(form, signs=r"(?s)."):
    """Return what escapes each sign, or each of some."""
    return lambda text: re.sub(signs, lambda found: form(found[0]), text)


def units(sign):
    content = sign.encode("utf-16-be")
    return [content[at : at + 2].hex() for at in range(0, len(content), 2)]


SPECIAL = r"[^A-Za-z0-9_.-]"
ESCAPES = {
    "plain": str,
    "url": lambda text: quote(text, safe=""),
    "url with slashes": quote,
    "url in small letters": lambda text: lower(quote(text, safe="")),
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json of php": lambda text: json.dumps(text)[1:-1].replace("/", r"\/"),
    "json of .net": of_each(lambda sign: "".join(rf"\u{unit.upper()}" for unit in units(sign)), SPECIAL),
    "json of go": lambda text: re.sub("[&<>]", lambda found: rf"\u{ord(found[0]):04x}", json.dumps(text)[1:-1]),
    "html": escape,
    "html of php": lambda text: escape(text, quote=False).replace('"', "&quot;").replace("'", "&#039;"),
    "xml": lambda text: escape(text, quote=False).replace('"', "&quot;").replace("'", "&apos;"),
    "numbered entities": of_each(lambda sign: f"&#{ord(sign)};", SPECIAL),
    "python": lambda text: text.encode("unicode_escape").decode(),
    "python bytes": lambda text: repr(text.encode())[2:-1],
}
EVERY_SIGN = {
    "url, every sign": of_each(lambda sign: "".join(f"%{byte:02X}" for byte in sign.encode())),
    "json, every sign": of_each(lambda sign: "".join(rf"\u{unit}" for unit in units(sign))),
    "entity, every sign": of_each(lambda sign: f"&#x{ord(sign):X};"),
}
CODES = {
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: b64encode(text.encode()).decode().rstrip("="),
    "base64 of urls": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal in capitals": lambda text: text.encode().hex().upper(),
}
SECRETS = (
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "ya29/CANARY/abc+def==",
    'p@ss/w"ord+CANARY&é7',
    "hunter2",
    r"C:\new\table",
    "a%2fb&amp;c\\u0041d",
    "-----BEGIN KEY-----\nMIIB+/x=\n-----END KEY-----\n",
    "<ключ 'π' 🔑>",
)
CASES = {"small letters": str.lower, "capitals": str.upper}
PAIRS = [
    (first, then)
    for first, then in product(
        {**CASES, **ESCAPES, **EVERY_SIGN, **CODES}.items(), {**ESCAPES, **EVERY_SIGN, **CODES}.items()
    )
    # Nobody changes or escapes every letter before they are coded.
    if not (first[0] in {*EVERY_SIGN, *CASES} and then[0] in CODES)
]


@pytest.mark.parametrize("secret", SECRETS)
def test_no_encoder_and_no_pair_of_them_hides_a_secret(secret):
    mask = Mask([secret])
    left = [
        (first, then, mask.text(f"<{then_does(first_does(secret))}>"))
        for (first, first_does), (then, then_does) in PAIRS
    ]
    assert 450 < len(left)
    assert [] == [(first, then, text) for first, then, text in left if text != f"<{HIDDEN}>"]


SIGNS = st.sampled_from(list("abnrtux0125cF%\\&+;#\"'/ \n=é🔑"))
TEXTS = st.text(SIGNS, max_size=6)
CHOSEN = st.sampled_from(list({**ESCAPES, **EVERY_SIGN}.values()))


@given(secret=st.text(SIGNS, min_size=4, max_size=12), first=CHOSEN, then=CHOSEN, before=TEXTS, after=TEXTS)
@example("nabc&", ESCAPES["html"], str, "\\", "")
@example("ab\\c\\", ESCAPES["json"], str, "", '"')
@example("41%abc", ESCAPES["url"], ESCAPES["json"], "%", "%4")
def test_nothing_beside_an_escaped_secret_hides_it(secret, first, then, before, after):
    written = then(first(secret))

    masked = Mask([secret]).text(f"{before}{written}{after}")

    assert HIDDEN in masked
    assert len(before) + len(after) + len(HIDDEN) >= len(masked)


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "user:é"])
@pytest.mark.parametrize("secret", SECRETS[:3])
def test_a_secret_within_what_is_coded_is_found(secret, before):
    for code in CODES.values():
        coded = code(f"{before}{secret}|after")

        masked = Mask([secret]).text(coded)

        assert HIDDEN in masked
        # Of a sign that two bytes share, as many bits are left as tell nothing.
        assert len(code(f"{before}|after")) + len(HIDDEN) + 4 >= len(masked)


def test_a_secret_that_holds_or_overlaps_another_is_masked_whole():
    assert "a *** b ***" == Mask(["abcd", "abcdefgh"]).text("a abcdefgh b abcd")
    assert "a *** b" == Mask(["abcdef", "defghi"]).text("a abcdefghi b")


def test_secrets_too_short_to_be_told_from_words_are_left():
    assert "an abc" == Mask(["abc", "", HIDDEN]).text("an abc")


@pytest.mark.parametrize("text", ["", "ab", "100 % & more", r"C:\new", "%", "&amp;", "a+b", "%zz \\u12"])
def test_what_holds_no_secret_stays_as_it_is(text):
    assert text == Mask(SECRETS).text(text)
    assert not Mask(SECRETS).is_in(text)


def test_the_beginning_of_a_text_ends_in_no_half_of_a_secret():
    mask = Mask(["s3cr3t-s3cr3t"])
    text = "the s3cr3t-s3cr3t and the rest, s3cr3t-s3cr3t"

    assert [mask.text(text)[:most] for most in range(len(text))] == [
        mask.text(text, most) for most in range(len(text))
    ]


def test_one_mask_serves_threads_that_ask_for_it_at_once():
    mask = Mask(f"ключ-{number}-{number * number}" for number in range(20))
    texts = [json.dumps(f"a ключ-{number}-{number * number} b") for number in range(20)]
    start = threading.Barrier(4)

    def masked():
        start.wait()
        return {mask.text(text) for text in texts}

    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(masked) for _ in range(4)]

    assert [{'"a *** b"'}] * 4 == [each.result() for each in asked]


def test_of_a_long_text_only_the_shown_beginning_is_read():
    class Counted(str):
        __slots__ = ()
        reads = 0

        def __getitem__(self, at):
            Counted.reads += 1
            return super().__getitem__(at)

    assert "words wo" == Mask(SECRETS).text(Counted("words " * 100_000), 8)
    assert 50 > Counted.reads


def test_a_text_that_is_made_to_be_hard_to_read_is_hidden():
    text = "\\" * 1_000

    assert HIDDEN == Mask(["\\" * 200 + "x"]).text(text)


def test_a_text_whose_escapes_take_too_long_to_read_is_hidden_from_there_on():
    text = "seen " + "\\" * 8_000

    shown = Mask(["Zm9vYmFyYmF6cXV4Zm9v1"]).text(text)

    assert (True, True) == (shown.startswith("seen "), shown.endswith(HIDDEN))


@pytest.mark.parametrize(
    "name", ["Authorization", "api_key", "X-Api-Key", "Set-Cookie", "client_secret", "access_token", "sig", "jwt"]
)
def test_names_tell_secrets(name):
    assert is_telling(name)


@pytest.mark.parametrize("name", ["id", "next_page_token", "pageToken", "token_type", "design", "monkey"])
def test_names_of_other_things_tell_none(name):
    assert not is_telling(name)


def test_below_a_telling_name_some_leaves_are_none():
    leaves = {
        "value": "v",
        "secret": 7,
        "expires_in": 60,
        "token_type": "Bearer",
        "count": 1,
        "scope": "read",
        "x": "",
    }

    assert ["value", "secret"] == [name for name, leaf in leaves.items() if is_secret(name, leaf)]


def test_what_a_token_request_sends_is_secret_unless_it_is_public():
    sent = {
        "grant_type": "password",
        "client_id": "my-client",
        "username": "somebody",
        "n": 1,
        "more": [{"code": "c0de-1"}],
    }

    assert ["somebody", "c0de-1"] == list(sent_secrets(sent))
