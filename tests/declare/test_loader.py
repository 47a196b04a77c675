"""What an author reads when a file is wrong: the place, what is wrong there and what to do."""

from __future__ import annotations

import cProfile
import sys

import pytest

from nango_py import ConfigError, Nango
from nango_py.auth.api_key import ApiKey
from nango_py.auth.basic import Basic
from nango_py.declare import load
from nango_py.declare.merge import Layer, merge
from nango_py.document import wrap

DEMO = """\
name: demo
versions:
  v0:
    auth: {auth_mode: BASIC}
    requests:
      base_url: https://api.example.com/v0/
"""
HEAD = """\
integrations:
  demo:
    extends_blueprint: demo:v0
"""


@pytest.fixture
def declare(tmp_path, monkeypatch):
    """Return a function that loads a text of integrations.yaml beside blueprint files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blueprints").mkdir()

    def declare(text, environ=None, **blueprints):
        for name, content in {"demo": DEMO, **blueprints}.items():
            (tmp_path / "blueprints" / f"{name}.yaml").write_text(content, encoding="utf-8")
        (tmp_path / "integrations.yaml").write_text(text, encoding="utf-8")
        return load("integrations.yaml", environ=environ or {})

    return declare


def shown(declared):
    return [str(problem) for problem in declared.problems]


IN_THE_FILE = {
    "duplicate key": (
        "log_level: info\n    log_level: debug",
        "5:5: the key 'log_level' stands twice; the first is in line 4.",
    ),
    "misspelt key": ("log_levle: info", "4:5: unknown key 'log_levle'. Did you mean 'log_level'?"),
    "misspelt auth key": ("auth: {placemnt: none}", "4:12: unknown key 'placemnt'. Did you mean 'placement'?"),
    "wrong type": ("requests: {cookies: 3}", "4:25: 'cookies' must be true or false, not a number."),
    "text for a number": (
        "http_request_timeout_seconds: soon",
        "4:35: 'http_request_timeout_seconds' must be a number, not a text.",
    ),
    "unknown word": (
        "log_level: loud",
        "4:16: 'log_level' is none of the words allowed here. Known here: critical, debug, error, info, warning.",
    ),
    "unknown auth mode": (
        "auth: {auth_mode: OAUHT2}",
        "4:23: 'auth_mode' is none of the words allowed here. Did you mean 'OAUTH2'?",
    ),
    "undeclared placeholder": (
        'requests: {headers: {X-A: "${usrname}"}}',
        "4:31: nobody provides ${usrname}. Did you mean 'username'?",
    ),
    "open placeholder": (
        'requests: {headers: {X: "${a"}}',
        "4:29: the placeholder '${a' is not closed with '}'.",
    ),
    "bad expression": (
        'requests: {headers: {X: "${a b}"}}',
        "4:29: ${a b} cannot be read: it is more than one expression.",
    ),
    "missing environment variable of a request": (
        'requests: {headers: {X-A: "${MY_KEY}"}}',
        "4:31: the environment variable MY_KEY is not set. Set it before the integration is used.",
    ),
    "missing environment variable of a key": (
        "app_api_key: ${MY_KEY}",
        "4:18: the environment variable MY_KEY is not set. Set it before the integration is used.",
    ),
    "commented-out children": (
        "retry:\n      # max_attempts: 3\n    log_level: debug",
        (
            "4:5: 'retry' has no value. Write null to delete an inherited value, "
            '"" for an empty text, or remove the key.'
        ),
    ),
    "no pagination to walk by": (
        "actions: {a: {request: {path: x}, paginate: true}}",
        "4:49: there is no pagination to walk by. Declare the integration's `pagination`, or write its keys here.",
    ),
    "bad regex of a field": (
        'connection_config: {a: {pattern: "["}}',
        "4:38: this is no regular expression: unterminated character set at position 0.",
    ),
    "bad regex of an input": (
        'actions: {a: {request: {path: x}, input: {properties: {b: {pattern: "("}}}}}',
        "4:73: this is no regular expression: missing ), unterminated subpattern at position 0.",
    ),
    "no JSON Schema": (
        "actions: {a: {request: {path: x}, input: {type: objekt}}}",
        "4:46: this is no JSON Schema: /type: anyOf",
    ),
    "reference out of a schema": (
        "actions: {a: {request: {path: x}, input: {$ref: 'http://127.0.0.1:1/x'}}}",
        "4:46: this is no JSON Schema: $ref 'http://127.0.0.1:1/x' leads nowhere; it must stay inside the schema",
    ),
    "base URL of no web": (
        "requests: {base_url: 'ftp://x'}",
        (
            "4:26: base_url must be an http or https URL with a host. "
            "It has no user name, query or fragment: https://api.example.com/v1/."
        ),
    ),
    "no origin": (
        "requests: {allowed_origins: [x]}",
        (
            "4:34: this is no origin. Write https://host, https://host:port or https://*.example.com, "
            "without placeholders."
        ),
    ),
    "no status": (
        "retry: {error_code: ['4299']}",
        '4:26: \'4299\' is no status. Write "429", "5xx" or "500-502".',
    ),
    "tag": ("log_level: !!str info", "4:5: YAML tags such as 'tag:yaml.org,2002:str' are not supported."),
    "merge key": ("<<: {log_level: info}", "4:5: merge keys (<<) are not supported. Use extends_blueprint."),
}


@pytest.mark.parametrize(("written", "expected"), IN_THE_FILE.values(), ids=IN_THE_FILE)
def test_a_mistake_is_shown_with_its_place_and_a_way_out(declare, written, expected):
    declared = declare(f"{HEAD}    {written}\n")

    assert [f"integrations.yaml:{expected}"] == shown(declared)
    assert {} == declared.integrations


NOT_BEGUN = (
    "a mapping under 'integrations:' is missing. Begin with: integrations: {close: {extends_blueprint: close:v0}}."
)
FURTHER = "Write its keys below it, indented further, such as: extends_blueprint: close:v0"
UNREADABLE = {
    "malformed": ("integrations:\n  demo: [\n", "3:1: YAML syntax: did not find expected node content."),
    "unquoted placeholder in a flow mapping": (
        "integrations:\n  demo: {a: ${x}}\n",
        "2:14: YAML syntax: did not find expected ',' or '}'. Inside { } or [ ] quote placeholders: \"${...}\".",
    ),
    "alias bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{c}: &{c} [{','.join(['*' + p] * 10)}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True))
        + HEAD,
        "1:26: more than 100,000 values, aliases expanded.",
    ),
    "10 MB": (HEAD + "#" + "x" * 10_000_000, "1:1: the file is larger than 1,048,576 characters."),
    "nested deeply": (f"{HEAD}    x-a: {'[' * 60}{']' * 60}\n", "4:48: nested deeper than 40 levels."),
    "indented by a tab": (
        "integrations:\n\tdemo: {}\n",
        (
            "2:1: YAML syntax: found character that cannot start any token. "
            "Indent with spaces: in YAML a tab is no indentation."
        ),
    ),
    "empty": ("", "1:1: the file is empty."),
    "nothing below integrations": ("integrations:\n", f"1:14: {NOT_BEGUN}"),
    "no integrations": (
        "integration: {}\n",
        f"1:1: {NOT_BEGUN}",
    ),
    "a list": (
        "- a\n",
        f"1:1: {NOT_BEGUN}",
    ),
}


@pytest.mark.parametrize(("text", "expected"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_without_integrations_is_refused(declare, text, expected):
    with pytest.raises(ConfigError) as refused:
        declare(text)

    assert f"integrations.yaml:{expected}" == str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as refused:
        load("integrations.yaml", environ={})

    assert (
        "integrations.yaml: the file cannot be read: No such file or directory. Go to the folder that holds it, or make one: nango-py init"
        == str(refused.value)
    )


ODD_URLS = [
    "https://[", "https://[::1", "https://a.b]/", "https://[${connection_config.x}]/", "https://[1.2.3.4]/", "https://℀.com/",
    "https://a.b:999999/", "https://a.b:x/", "https://ours.example@evil.example/", "https://ours.example\\@evil.example/",
    "https://a b/", "https://*.a.b/", "https://%61/", "HTTP://a.b/",
    "http://localhost@example.com/",
]  # fmt: skip


@pytest.mark.parametrize("url", ODD_URLS)
def test_a_url_that_not_everybody_reads_alike_is_a_problem_of_its_integration_only(declare, url):
    demo = DEMO + "    connection_config: {x: {format: hostname}}\n"
    text = f"""\
integrations:
  other: {{extends_blueprint: demo:v0}}
  base: {{extends_blueprint: demo:v0, requests: {{base_url: {url!r}}}}}
  login:
    extends_blueprint: demo:v0
    auth: {{auth_mode: OAUTH2_CC, token_url: {url!r}}}
"""
    declared = declare(text, demo=demo)

    assert ["other"] == list(declared.integrations)
    assert {"base": ["requests.base_url"], "login": ["auth.url"]} == {
        name: [problem.code for problem in problems] for name, problems in declared.broken.items()
    }


def test_a_chain_of_blueprints_has_an_end(declare):
    links = {
        f"link-{n}": DEMO.replace("name: demo", f"name: link-{n}") + f"    extends_blueprint: link-{n + 1}:v0\n"
        for n in range(2000)
    }
    declared = declare("integrations: {it: {extends_blueprint: link-0:v0}}", **links)

    assert [
        "blueprints/link-19.yaml:7:24: more than 20 blueprints extend each other: link-0:v0 -> ... -> link-20:v0."
    ] == shown(declared)


@pytest.mark.parametrize("needed", [">=" + "9" * 5000, ">=0." + "0" * 5000])
def test_a_requirement_with_endless_digits_is_none(declare, needed):
    (problem,) = shown(declare(HEAD, demo=f"requires_nango_py: '{needed}'\n{DEMO}"))

    assert "is no version requirement" in problem


def test_a_version_may_have_more_digits_than_python_reads(declare):
    long = "v1" + "0" * 5000
    demo = f"{DEMO}  v9: {{extends_blueprint: demo:v0}}\n  ? {long}\n  : {{extends_blueprint: demo:v0}}\n"
    declared = declare(HEAD.replace("demo:v0", "demo"), demo=demo)

    assert f"demo:{long}" == declared.integrations["demo"].blueprints[-1].key


def test_the_work_of_merging_grows_with_the_keys_and_no_faster():
    def calls(count: int) -> int:
        one, other = ({"x-a": {f"k{n}": value for n in range(count)}} for value in ({"b": 1}, {"b": 2, "c": 3}))
        document = wrap({})
        layers = [
            Layer(label=str(n), document=document, pointer="", data=data) for n, data in enumerate((one, other, one))
        ]
        profile = cProfile.Profile()
        profile.runcall(merge, (*layers, Layer(label="none", document=document, pointer="", data={"x-a": "gone"})))
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(400) < 2.5 * calls(200)


def test_a_cycle_of_blueprints_is_shown(declare):
    one = "name: one\nversions:\n  v0:\n    extends_blueprint: two:v0\n"
    two = "name: two\nversions:\n  v0:\n    extends_blueprint: one:v0\n"
    declared = declare(HEAD.replace("demo:v0", "one:v0"), one=one, two=two)

    assert ["blueprints/two.yaml:4:24: blueprints extend each other: one:v0 -> two:v0 -> one:v0."] == shown(declared)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("dmeo:v0", "there is no blueprint 'dmeo:v0'. Did you mean 'demo'?"),
        ("demo:v7", "blueprint 'demo' has no version 'v7'. Did you mean 'demo:v0'?"),
        ("builtin/demo:v0", "there is no blueprint 'builtin/demo:v0'."),
    ],
)
def test_an_unknown_blueprint_is_shown(declare, written, expected):
    declared = declare(HEAD.replace("demo:v0", written))

    assert 1 == len(declared.problems)
    assert shown(declared)[0].startswith(f"integrations.yaml:3:24: {expected}")


def test_a_blueprint_never_sees_the_environment(declare):
    declared = declare(HEAD, {"MY_KEY": "k"}, demo=f'{DEMO}      headers: {{X-A: "${{MY_KEY}}"}}\n')

    assert [
        (
            "blueprints/demo.yaml:7:22: nobody provides ${MY_KEY}. "
            "Blueprints never see the environment: set the value in integrations.yaml."
        )
    ] == shown(declared)


@pytest.mark.parametrize(
    ("demo", "expected"),
    [
        (
            f'requires_nango_py: ">=99"\n{DEMO}',
            "1:20: it needs nango_py >=99, and 0.1.0 is installed. Upgrade nango-py.",
        ),
        (f"requires_nango_py: soon\n{DEMO}", "1:20: 'soon' is no version requirement, such as '>=0.1,<1'."),
        (
            DEMO.replace("name: demo", "name: other"),
            "1:7: the file is named demo.yaml, but its blueprint 'other'. Make them equal.",
        ),
    ],
)
def test_a_mistake_in_a_blueprint_is_shown_in_its_file(declare, demo, expected):
    assert [f"blueprints/demo.yaml:{expected}"] == shown(declare(HEAD, demo=demo))


def test_incomplete_pagination_names_all_that_it_lacks(declare):
    assert [
        "integrations.yaml:4:17: cursor pagination needs the parameter that carries the cursor.",
        (
            "integrations.yaml:4:17: cursor pagination needs the path of the next cursor, "
            "or its header as cursor_header_in_response, or its parameter in a link as cursor_name_in_link."
        ),
    ] == shown(declare(f"{HEAD}    pagination: {{type: cursor}}\n"))


def test_a_commented_out_section_keeps_the_inherited_one(declare):
    declared = declare(f"{HEAD}    retry:\n", demo=f"{DEMO}    retry: {{max_attempts: 2}}\n")

    assert ["yaml.empty_value"] == [problem.code for problem in declared.problems]


def test_null_deletes_what_is_inherited(declare):
    declared = declare(f"{HEAD}    requests: {{headers: null}}\n", demo=f"{DEMO}      headers: {{X-A: a}}\n")

    assert {} == declared.integrations["demo"].requests.headers


def test_a_list_replaces_the_inherited_one(declare):
    declared = declare(
        f"{HEAD}    requests: {{allowed_origins: [https://b.example.com]}}\n",
        demo=f"{DEMO}      allowed_origins: [https://a.example.com, https://c.example.com]\n",
    )

    assert ("https://b.example.com",) == declared.integrations["demo"].requests.allowed_origins


def test_another_auth_mode_drops_inherited_auth_and_credentials(declare):
    demo = DEMO.replace("BASIC", "BASIC, placement: none") + "    credentials: {username: {secret: true}}\n"
    integration = declare(f"{HEAD}    auth: {{auth_mode: API_KEY}}\n", demo=demo).integrations["demo"]

    assert ApiKey() == integration.auth
    assert ["api_key"] == [field.name for field in integration.credentials]


def test_the_spelling_of_2022_is_the_same_auth_mode(declare):
    demo = DEMO.replace("BASIC", "USERNAME_PASSWORD, placement: none")
    integration = declare(f"{HEAD}    auth: {{auth_mode: BASIC}}\n", demo=demo).integrations["demo"]

    assert Basic(placement="none") == integration.auth


def test_without_a_version_the_newest_is_meant_and_a_warning_says_so(declare):
    demo = DEMO + "".join(
        f"  v{n}: {{auth: {{auth_mode: NONE}}, requests: {{base_url: 'https://v{n}.example.com/'}}}}\n"
        for n in (10, 9)
    )
    declared = declare(HEAD.replace("demo:v0", "demo"), demo=demo)

    assert "https://v10.example.com/" == declared.integrations["demo"].requests.base_url.text
    assert ["integrations.yaml:3:24: 'demo' means the newest version, today demo:v10. Pin it: demo:v10."] == shown(
        declared
    )
    assert ["warning"] == [problem.severity for problem in declared.problems]


def test_a_prefix_names_the_pack(declare):
    local = DEMO.replace("name: demo", "name: close")
    declared = declare(
        "integrations: {one: {extends_blueprint: builtin/close:v0}, two: {extends_blueprint: close:v0}}",
        close=local,
    )
    hosts = {name: it.requests.base_url.text for name, it in declared.integrations.items()}

    assert {"one": "https://api.close.com/api/v1/", "two": "https://api.example.com/v0/"} == hosts
    assert ["builtin/close:v0"] == [used.key for used in declared.integrations["one"].blueprints]


def test_a_variable_that_is_set_is_filled_in(declare):
    declared = declare(
        f"{HEAD}    app_api_key: ${{MY_KEY}}\n    http_request_timeout_seconds: ${{env.WAIT}}\n",
        {"MY_KEY": "0123", "WAIT": "7"},
    )
    integration = declared.integrations["demo"]

    assert ("0123", 7.0) == (integration.app_api_key.reveal(), integration.http_request_timeout_seconds)


def test_one_broken_integration_never_stops_another(declare):
    declared = declare(f"{HEAD}  bad: {{extends_blueprint: demo:v9}}\n  worse: 3\n")

    assert ["demo"] == list(declared.integrations)
    assert {
        "bad": ["integrations.yaml:4:28: blueprint 'demo' has no version 'v9'. Did you mean 'demo:v0'?"],
        "worse": [f"integrations.yaml:5:10: 'worse' must be a mapping of keys. {FURTHER}"],
    } == {name: [str(problem) for problem in problems] for name, problems in declared.broken.items()}


def test_keys_that_are_not_indented_enough_are_said_to_be_so(declare):
    declared = declare("integrations:\n  demo:\n  extends_blueprint: demo:v0\n")

    assert [
        f"integrations.yaml:2:8: 'demo' must be a mapping of keys. {FURTHER}",
        (
            "integrations.yaml:3:22: 'extends_blueprint' must be a mapping of keys. "
            "It is a key of an integration: indent it further than the integration's name."
        ),
    ] == shown(declared)


def test_an_integration_that_is_of_no_blueprint_and_declares_nothing_is_told_both_ways(declare):
    declared = declare("integrations:\n  demo: {auth: {auth_mode: NONE}}\n")

    expected = (
        "integrations.yaml:2:3: the value lacks 'requests'. "
        "Name a blueprint by extends_blueprint, or declare auth and requests."
    )
    assert [expected] == shown(declared)


def test_using_a_broken_integration_raises_its_own_problems(declare):
    declare(f"{HEAD}  bad: {{extends_blueprint: demo:v9}}\n  worse: 3\n")
    with Nango.load("integrations.yaml", store="memory://", environ={}) as nango:
        nango.register_connection("demo", "u", credentials={"username": "n"})
        with pytest.raises(ConfigError) as refused:
            nango.register_connection("bad", "u", credentials={"username": "n"})

    assert "integrations.yaml:4:28: blueprint 'demo' has no version 'v9'. Did you mean 'demo:v0'?" == str(
        refused.value
    )


def test_an_action_whose_name_begins_with_x_is_ignored(declare):
    action = '    actions: {x-draft: {request: {path: "${input.a}"}}, me: {request: {path: me}}}\n'
    declared = declare(HEAD + action)

    assert [] == shown(declared)
    assert ["me"] == list(declared.integrations["demo"].actions)


def test_a_mapping_is_shown_with_pointers():
    declared = load({"integrations": {"demo": {"log_levle": "info"}}}, environ={})

    assert ["<mapping>/integrations/demo/log_levle: unknown key 'log_levle'. Did you mean 'log_level'?"] == shown(
        declared
    )


def test_a_reference_inside_a_schema_is_followed(declare):
    declared = declare(
        f"{HEAD}    actions:\n      a: {{request: {{path: x}}, "
        "input: {$ref: '#/$defs/b', $defs: {b: {type: object, required: [c]}}}}\n"
    )
    schema = declared.integrations["demo"].actions["a"].input

    assert [] == shown(declared)
    assert ["the value lacks 'c'."] == [violation.message for violation in schema.violations({})]


@pytest.mark.parametrize(
    ("auth", "module", "extra"),
    [
        ({"auth_mode": "OAUTH1"}, "oauthlib", "oauth1"),
        ({"auth_mode": "AWS_SIGV4", "service": "s3", "region": "us-east-1"}, "botocore", "aws"),
        (
            {
                "auth_mode": "OAUTH2_CC",
                "token_url": "https://a.example.com/t",
                "token_request_auth_method": "private_key_jwt",
            },
            "jwt",
            "jwt",
        ),
    ],
)
def test_a_missing_extra_is_named_at_load(monkeypatch, auth, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    declared = {"integrations": {"a": {"auth": auth, "requests": {"base_url": "https://a.example.com/"}}}}

    found = [problem for problem in load(declared, environ={}).problems if problem.code == "auth.extra"]

    assert [f"Install it: pip install 'nango-py[{extra}]'."] == [problem.hint for problem in found]


def test_the_example_of_an_action_is_data_whose_nulls_stay():
    example = {"input": {"id": None}, "answer": {"name": None}, "output": {"name": None}}
    action = {"request": {"path": "users"}, "example": example}
    keys = {"auth": {"auth_mode": "NONE"}, "requests": {"base_url": "https://a.example.com/"}}
    declared = load({"integrations": {"a": {**keys, "actions": {"get-user": action}}}}, environ={})

    found = declared.integrations["a"].actions["get-user"].example

    assert ({"id": None}, {"name": None}, (), {"name": None}) == (
        found.input,
        found.answer,
        found.answers,
        found.output,
    )


def test_what_takes_from_a_blueprint_what_it_needs_is_blamed_itself(tmp_path):
    (tmp_path / "base.yaml").write_text(
        "name: base\nversions:\n  v0:\n    auth: {auth_mode: NONE}\n    connection_config: {site: {title: Site}}\n"
        '    requests: {base_url: "https://${connection_config.site}.example.com/"}\n'
    )
    source = tmp_path / "integrations.yaml"
    source.write_text("integrations:\n  mine:\n    extends_blueprint: base:v0\n    connection_config: null\n")
    (problem,) = load(source, blueprints=[tmp_path], environ={}).problems

    assert ("placeholder.unknown", str(source), 2) == (problem.code, problem.location.source, problem.location.line)
    assert f"leaves {tmp_path / 'base.yaml'}:6:26 broken: nobody provides" in problem.message


def test_an_input_whose_properties_are_none_is_a_flaw_and_no_more():
    action = {"input": {"type": "object", "properties": None}, "request": {"path": "${input.a}"}}
    declared = {
        "auth": {"auth_mode": "NONE"},
        "requests": {"base_url": "https://x.example/"},
        "actions": {"a": action},
    }

    assert ["schema.flaw"] == [one.code for one in load({"integrations": {"it": declared}}, environ={}).problems]
