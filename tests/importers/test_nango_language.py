"""Templates of Nango's catalogue in our language: what is written, and what is sent."""

from __future__ import annotations

import pytest

from nango_py.address import endpoint_text
from nango_py.expression import moment_functions
from nango_py.importers.nango.language import Ref, Untranslatable, translate, translate_url
from nango_py.template import TemplateError, split

MAY_BE = {"opt": "absent", "empty": "empty"}
MOMENT = moment_functions(1_700_000_000.0, lambda: "u-1")


def words(dotted):
    name = dotted.removeprefix("connectionConfig.")
    if not name.isidentifier():
        raise Untranslatable(f"${{{dotted}}}")
    return Ref(text=name, may_be=MAY_BE.get(name, "filled"))


WRITTEN = {
    "text": ("plain", "plain"),
    "a name": ("Bearer ${a}", "Bearer ${a}"),
    "a name that may be absent, alone": ("${opt}", "${opt}"),
    "one in text": ("v ${opt}", "${'v ' ~ opt if opt else none}"),
    "one that may be empty in text": ("v ${empty};", "${['v ', empty, ';'] | join}"),
    "both in text": ("${opt}-${empty}", "${[opt, '-', empty] | join if opt else none}"),
    "a function": ("${base64(${a}:${b})}", "${[a, ':', b] | join | base64}"),
    "a function of one name": ("${sha256Hex(${a})}", "${a | sha256_hex}"),
    "a function of one that may be empty": ("${base64(${empty})}", "${[empty] | join | base64}"),
    "a function of a function": ("${sha256Base64(${base64(${a})})}", "${a | base64 | sha256_base64}"),
    "a function with a key": ("${hmacSha1Hex(a, ${a}, ${b})}", "${['a, ', a] | join | hmac_sha1_hex(b)}"),
    "alternatives": ("${opt} || 1.0", "${opt or '1.0'}"),
    "three": ("${opt} || ${a} || x", "${opt or a or 'x'}"),
    "a literal one in front counts for nothing": ("x || ${a}", "${a}"),
    "alternatives of text": ("a-${opt} || ${a}.b", "${'a-' ~ opt if opt else a ~ '.b' if a else none}"),
    "alternatives within": ("${opt || a}", "${opt or a}"),
    "a function of alternatives": ("${base64(${opt || a})}", "${(opt or a) | base64}"),
    "a dollar in front": ("$${a}", "${'$'}${a}"),
    "what is not closed": ("${a", "$${a"),
    "quotes and lines": ("${base64(it's\n${a}\\)}", "${['it\\'s\\n', a, '\\\\'] | join | base64}"),
    "a UUID": ("${random}", "${uuid()}"),
    "now": ("${now}", "${now()}"),
    "a day": ("${now:YYYY-MM-DD}", "${now('%Y-%m-%d')}"),
    "text in a format": ("${now:[T%]HH}", "${now('T%%%H')}"),
    "a day next week": ("${now+1:week:YYYY}", "${now('%Y', 604800)}"),
    "seconds of the epoch": ("${now-1:minutes:X}", "${now('%s', -60)}"),
}


@pytest.mark.parametrize(("theirs", "ours"), WRITTEN.values(), ids=WRITTEN)
def test_a_template_is_written_in_our_language(theirs, ours):
    assert ours == translate(theirs, words)
    split(ours)  # it can be read


FILLED = {
    "all values": ("${a} ${opt} ${empty}.", {"a": "1", "opt": "2", "empty": "3"}, "1 2 3."),
    "an empty text": ("${a}/${empty}/", {"a": "1"}, "1//"),
    "an absent one": ("${a} ${opt}", {"a": "1"}, None),
    "no padding": ("${now:D.M.YY h:m:s}", {}, "14.11.23 10:13:20"),
    "names": ("${now:dddd ddd dd MMMM MMM A a}", {}, "Tuesday Tue Tu November Nov PM pm"),
    "milliseconds": ("${now:x SSS}", {}, "1700000000000 000"),
    "offsets": ("${now:Z ZZ d}", {}, "+00:00 +0000 2"),
    "a shifted piece": ("${now+2:days:D}", {}, "16"),
    "no unit": ("${now+5:fortnights:X}", {}, "1700000000"),
    "a quote": ("${base64(')}", {}, "Jw=="),
    "bars as text": ("${a}||${b}", {"a": "1", "b": "2"}, "1||2"),
}


@pytest.mark.parametrize(("theirs", "values", "expected"), FILLED.values(), ids=FILLED)
def test_what_is_written_gives_what_theirs_gives(theirs, values, expected):
    ours = split(translate(theirs, words, alternatives=False))

    assert expected == ours.value({**MOMENT, **values})


def test_a_place_that_keeps_empty_texts_leaves_nothing_out():
    assert "v " == split(translate("v ${opt}", words, keeps_empty=True)).value({})


URLS = {
    "plain": ("https://${a}.test/x", "https://${a}.test/x"),
    "another host": ("https://${opt}/x || https://b.test/x", "https://${opt or 'b.test'}/x"),
    "a part of the host": (
        "https://${opt}.a.test || https://${a}.test",
        "https://${opt ~ '.a.test' if opt else a ~ '.test' if a else none}",
    ),
    "a whole URL": ("https://a.${opt}/x || ${a}/x", "${'https://a.' ~ opt if opt else a}/x"),
    "another path": (
        "https://${opt}/x || https://b.test/y",
        "${'https://' ~ opt ~ '/x' if opt else 'https://b.test/y'}",
    ),
}


@pytest.mark.parametrize(("theirs", "ours"), URLS.values(), ids=URLS)
def test_what_alternatives_of_a_url_have_in_common_stays_outside(theirs, ours):
    assert ours == translate_url(theirs, words)


@pytest.mark.parametrize("value", ["evil.test/", "evil.test#", "a@evil.test", "evil.test?"])
def test_a_value_has_no_say_in_what_follows_the_host(value):
    url = split(translate_url("https://${opt}.acme.test/x || https://acme.test/x", words))

    with pytest.raises(TemplateError, match="must be a name"):
        endpoint_text(url, {"opt": value})
    assert "https://acme.test/x" == endpoint_text(url, {})


UNSAID = {
    "an unknown function": ("${rot13(x)}", "the function rot13"),
    "a nested name": ("${${a}}", "inside a placeholder"),
    "months": ("${now+1:months:YYYY}", "months or years"),
    "an argument too few": ("${hmacSha1Hex(x)}", "second argument"),
    "a name that nobody provides": ("${a-b}", "a-b"),
    "too much to nest": ("${base64(" * 1000 + "a" + ")}" * 1000, "more than 4,000 characters or 50 placeholders"),
    "too much to choose from": ("${a} || " * 10_000, "more than 4,000 characters or 50 placeholders"),
}


@pytest.mark.parametrize(("theirs", "said"), UNSAID.values(), ids=UNSAID)
def test_what_our_language_cannot_say_is_refused(theirs, said):
    with pytest.raises(Untranslatable, match=said):
        translate(theirs, words)
