"""The language of placeholders: null rules, the fast path, escapes and the fence around Jinja."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import quote

import pytest

from nango_py.expression import moment_functions
from nango_py.secret import Secret
from nango_py.template import MAX_EXPRESSION, MAX_RESULT, Scope, TemplateError, names_in, render_tree, split, tree

VALUES = {
    "name": "Ann",
    "empty": "",
    "nothing": None,
    "count": 3,
    "yes": True,
    "key": Secret("s3cret"),
    "no_key": Secret(""),
    "list": ["a", None, "b"],
    "input": {"id": 7, "text": "a b/c", "none": None, "deep": {"x": [1, 2]}, "keys": 4, "items": 5},
}


def value(text):
    return split(text).value(VALUES)


def filled(text):
    return split(text).render(VALUES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${name}", "Ann"),
        ("Hi ${name}!", "Hi Ann!"),
        ("${ name }${count}", "Ann3"),
        ("${yes}", "true"),
        ("${input.id}", "7"),
        ("${key}", "s3cret"),
        ("$name {name} $ {", "$name {name} $ {"),
        ("$${name}", "${name}"),
        ("$${${name}}", "${Ann}"),
        ("a$${b} ${name}", "a${b} Ann"),
        ("$$${name}", "$${name}"),
    ],
)
def test_placeholders_are_filled_and_everything_else_is_left(text, expected):
    assert expected == filled(text)


def test_a_value_is_never_expanded_again():
    assert "${key}" == split("${a}").render({"a": "${key}", "key": "leak"})


@pytest.mark.parametrize("inner", ["{'a': {'b': 1}}['a']['b']", "'}' ~ '{'", '"}" | lower', r"'\'}' | length"])
def test_braces_and_quotes_inside_a_placeholder_are_balanced(inner):
    template = split(f"<${{{inner}}}>")

    assert ("<", inner, ">") == (template.parts[0], template.parts[1].text, template.parts[2])


@pytest.mark.parametrize("text", ["${", "${a", "x ${'}", "${ {'a': 1} "])
def test_a_placeholder_that_is_not_closed_is_refused(text):
    with pytest.raises(TemplateError, match="is not closed"):
        split(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${count}", 3),
        ("${yes}", True),
        ("${list}", ["a", None, "b"]),
        ("${input.deep}", {"x": [1, 2]}),
        ("${name}", "Ann"),
        ("${count + 1}", 4),
        ("${input.deep.x[1]}", 2),
        ("${input.deep['x'][-1]}", 2),
    ],
)
def test_a_whole_leaf_keeps_its_type(text, expected):
    assert expected == value(text)


NULL = ("${nothing}", "${empty}", "${no_key}", "${absent}", "${input.none}", "${input.absent}", "${nothing.below}")


@pytest.mark.parametrize(
    "text", [*NULL, "${nothing | lower}", "${input.absent | trim}", "${list[9]}", "${absent or ''}"]
)
def test_absent_null_and_empty_are_null(text):
    assert value(text) is None


@pytest.mark.parametrize("text", NULL)
def test_null_inside_a_text_is_an_error(text):
    with pytest.raises(TemplateError, match="has no value"):
        filled(f"a/{text}")


@pytest.mark.parametrize("text", ["${nothing | default('x')}", "${(empty | lower) or 'x'}", "${absent or 'x'}"])
def test_null_gives_way_to_a_default(text):
    assert "x" == value(text)


def test_a_leaf_that_is_null_is_dropped_with_all_that_it_leaves_empty():
    data = {"a": "${nothing}", "b": {"c": "${empty}"}, "d": ["${absent}", "x"], "e": None, "f": {}, "g": [], "h": 0}

    assert {"d": ["x"], "e": None, "f": {}, "g": [], "h": 0} == render_tree(tree(data), VALUES)


def test_a_tree_of_nulls_is_none():
    assert render_tree(tree({"a": ["${nothing}"]}), VALUES) is None


def test_an_empty_text_that_was_written_stays():
    assert {"a": ""} == render_tree(tree({"a": ""}), VALUES)


def test_the_names_of_a_tree_are_known_before_it_is_filled():
    branch = tree({"a": "${x.y} ${z | lower}", "b": ["${w['v'] or now()}"]})

    assert {("x", "y"), ("z",), ("w", "v"), ("now",)} == names_in(branch)


def test_parts_are_encoded_and_literals_are_not():
    assert "a b/a%20b%2Fc" == split("a b/${input.text}").render(VALUES, lambda text: quote(text, safe=""))


def test_hidden_names_stay_named_when_shown():
    template = split("${key}/${name}/${key | lower}/${nothing}")

    assert "<key>/Ann/<key | lower>/<nothing>" == template.shown(VALUES, lambda name: name == ("key",))


@pytest.mark.parametrize(("text", "name"), [("${list}", "list"), ("${input.deep}", "dict")])
def test_a_list_or_mapping_has_no_place_in_a_text(text, name):
    with pytest.raises(TemplateError, match=f"is {name}, not a single value"):
        filled(f"a{text}")


def test_a_plain_dotted_name_never_reaches_jinja():
    program = """
import sys
from nango_py.template import split
split("${a.b}").render({"a": {"b": 1}})
print("jinja2" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "False\n" == done.stdout


def test_a_member_named_like_a_method_is_the_member():
    assert [4, 5, 9] == [value("${input.keys}"), value("${input.items}"), value("${input.keys + input.items}")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${name | upper}", "ANN"),
        ("${(name ~ ':') | base64}", "QW5uOg=="),
        ("${input.text | urlencode}", "a%20b%2Fc"),
        ("${list | join(',')}", "a,b"),
        ("${list | first}${list | last}", "ab"),
        ("${nothing | length}", 0),
        ("${'5' | int + 1}", 6),
        ("${'x' | int(2)}", 2),
        ("${input.deep | tojson}", '{"x":[1,2]}'),
        ("${name | replace('n', 'm')}", "Amm"),
        ("${'a' | sha256_hex}", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("${'what do ya want for nothing?' | hmac_sha256_hex('Jefe')}",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),  # RFC 4231, case 2
        ("${'what do ya want for nothing?' | hmac_sha1_hex('Jefe')}",
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),  # RFC 2202, case 2
        ("${count is number and yes is boolean}", True),
        ("${name if count > 2 else 'few'}", "Ann"),
        ("${2 ** 10}", 1024),
        ("${7 % 4}", 3),
        ("${'ab' * 2}", "abab"),
        ("${('id:secret' | split(':'))[1]}", "secret"),
    ],
)  # fmt: skip
def test_expressions_are_worked_out(text, expected):
    assert expected == value(text)


@pytest.mark.parametrize("nothing", ["none", "missing", "empty"])
def test_texts_in_a_row_never_say_none(nothing):
    with pytest.raises(TemplateError, match=r"one side of '~' has no value"):
        split(f"${{'Bearer ' ~ {nothing}}}").render({"empty": ""})


def test_numbers_and_truths_in_a_row_are_written_as_elsewhere():
    assert "5true-x" == split("${5 ~ true ~ '-' ~ name}").render({"name": Secret("x")})


def test_the_time_and_the_uuid_are_those_of_the_exchange():
    values = moment_functions(1_700_000_000.0, lambda: "u-1")

    assert "2023-11-14T22:13:20.000Z 2023 u-1" == split("${now()} ${now('%Y')} ${uuid()}").render(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now('%s')", "1700000000"),
        ("now('%Y %s%%s %s')", "2023 1700000000%s 1700000000"),
        ("now('%s', -60)", "1699999940"),
        ("now('%Y-%m-%d', 86400)", "2023-11-15"),
        ("now(none, 1)", "2023-11-14T22:13:21.000Z"),
        ("now()[20:23]", "000"),
    ],
)
def test_a_moment_is_seconds_away_and_counted_from_the_epoch(text, expected):
    assert expected == split(f"${{{text}}}").render(moment_functions(1_700_000_000.0, lambda: "u"))


@pytest.mark.parametrize("seconds", ["'1'", "1e12", "none"])
def test_how_far_away_a_moment_is_must_be_a_number_of_years_at_most(seconds):
    with pytest.raises(TemplateError, match="ten years at most"):
        split(f"${{now('%s', {seconds})}}").render(moment_functions(0.0, lambda: "u"))


@pytest.mark.parametrize("pattern", ["'%0999999999d'", "'%-d'", "5", f"'{'%Y' * 40}'"])
def test_a_time_format_takes_plain_letters_only(pattern):
    with pytest.raises(TemplateError, match="strftime"):
        split(f"${{now({pattern})}}").render(moment_functions(0.0, lambda: "u"))


REFUSED = {
    "statement": "{% if a %}",
    "comment": "{# a #}",
    "two expressions": "a b",
    "nothing": " ",
    "method": "name.upper()",
    "method of a literal": "''.join(list)",
    "format": "'{0.__class__}'.format(name)",
    "call of a value": "name()",
    "unknown function": "range(9)",
    "global": "cycler()",
    "unknown filter": "name | attr('x')",
    "filter of Jinja": "list | map('upper')",
    "unknown test": "name is callable",
    "reserved word alone": "not",
    "too long": "a" * (MAX_EXPRESSION + 1),
    "deep": "(" * 200 + "a",
}


@pytest.mark.parametrize("expression", REFUSED.values(), ids=REFUSED)
def test_what_is_no_expression_of_the_language_is_refused_at_load(expression):
    with pytest.raises(TemplateError):
        split(f"${{{expression}}}")


def test_an_unknown_filter_is_answered_with_the_known_ones():
    with pytest.raises(TemplateError, match=r"there is no filter 'lowr'; known: base64, default, "):
        split("${name | lowr}")


FENCED = {
    "attribute": "(name).__class__",
    "attribute of a literal": "''.__class__.__mro__",
    "attribute by item": "name['__class__']",
    "attribute of a secret": "(key or name)._text",
    "attribute of a list": "list.append",
    "attribute of a number": "(1).real",
    "modulo of a text": "'%0999999999d' % 1",
    "exponent": "9 ** 65",
    "power of a power": "2 ** 64 ** 2",
    "power of a text": "name ** 2",
    "long repetition": f"'a' * {MAX_RESULT + 1}",
    "long repetition, turned": f"{MAX_RESULT + 1} * 'a'",
    "repetition of a list": f"[0] * {MAX_RESULT + 1}",
    "replacing nothing": "name | replace('', 'x')",
    "growing by replace": f"('n' * {MAX_RESULT}) | replace('n', 'mm')",
    "division": "1 / 0",
    "text and number": "name + 1",
    "rounding": "name | round",
    "member of a text": "name.first",
}


@pytest.mark.parametrize("expression", FENCED.values(), ids=FENCED)
def test_what_leaves_the_fence_is_an_error(expression):
    with pytest.raises(TemplateError):
        value(f"${{{expression}}}")


def test_a_result_is_bounded():
    with pytest.raises(TemplateError, match=r"more than 65,536 characters"):
        value(f"${{('a' * {MAX_RESULT}) ~ 'b'}}")


@pytest.mark.parametrize("expression", ["key | int + name", "key.below", "key ** 2", "key['x']", "(key ~ 'x').y"])
def test_an_error_never_quotes_a_value(expression):
    with pytest.raises(TemplateError) as refused:
        value(f"${{{expression}}}")

    assert "s3cret" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_scope_knows_what_may_be_named():
    scope = Scope({"api_key": None, "metadata": ..., "input": {"id"}})
    names = frozenset({("api_key",), ("metadata", "x"), ("input", "id"), ("input",), ("input", "ix"), ("other",)})

    assert {("input", "ix"): ["input.id"], ("other",): ["api_key", "metadata.*", "input.*"]} == dict(
        scope.unknown(names)
    )


def test_below_a_single_value_there_is_nothing():
    assert {("api_key", "x"): ["api_key"]} == dict(Scope({"api_key": None}).unknown(frozenset({("api_key", "x")})))
