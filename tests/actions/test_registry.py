"""Python actions are found in three places, each once, and nowhere else."""

from __future__ import annotations

import importlib
import sys
import textwrap

import httpx
import pytest

import nango_py
from nango_py import AsyncNango, Nango
from nango_py.actions.registry import GROUP

API = """
    auth: {auth_mode: NONE}
    requests: {base_url: "https://birds.test/"}
"""
ACTION = "def run(ctx, input):\n    return 'from a file'\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "integrations.yaml").write_text(
        f"integrations:\n  birds:{API}    actions: {{count: {{request: {{path: count}}}}}}\n"
    )
    (tmp_path / "birds").mkdir()
    return tmp_path


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """Return what installs a package with entry points, as a wheel's files lie on a path."""

    def install(entries, **modules):
        site = tmp_path / "site"
        info = site / "acme_birds-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-birds\nVersion: 1.2\n")
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")
        for name, text in modules.items():
            (site / f"{name}.py").write_text(textwrap.dedent(text))
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.syspath_prepend(site)
        importlib.invalidate_caches()

    return install


def load(source, **options):
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"count": 3}))
    return Nango.load(source, store="memory://", transport=transport, environ={}, **options)


def trigger(nango, action, integration="birds"):
    with nango:
        nango.register_connection(integration, "u", {})
        return nango.trigger_action(integration, action, "u")


def problems(nango):
    with nango:
        return [(problem.code, str(problem)) for problem in nango.problems]


# Decorated


@nango_py.action("birds")
def count_wrens(ctx, given):
    """Count the wrens."""
    return "wrens"


@nango_py.action("birds", "count-tits", input={"type": "object"}, output={"type": "string"}, scopes=["read"])
@nango_py.action("fish")
def count_small(ctx, given):
    return "small"


def test_a_decorated_function_is_an_action_of_the_engine_that_it_is_given_to(folder):
    source = folder / "integrations.yaml"

    assert "wrens" == trigger(load(source, actions=[count_wrens]), "count-wrens")
    with pytest.raises(nango_py.UnknownAction):
        trigger(load(source), "count-wrens")


def test_a_module_gives_its_own_decorated_functions(folder, tmp_path, monkeypatch):
    (tmp_path / "helpers_of_birds.py").write_text(
        "import nango_py\n@nango_py.action('birds')\ndef borrowed(ctx, given): ...\n"
    )
    (tmp_path / "birds_of_ours.py").write_text(
        "import nango_py\nfrom helpers_of_birds import borrowed\n"
        "@nango_py.action('birds')\ndef sing(ctx, given):\n    return 'la'\nalias = sing\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("birds_of_ours")
    try:
        assert "la" == trigger(load(folder / "integrations.yaml", actions=[module]), "sing")
        with pytest.raises(nango_py.UnknownAction):
            trigger(load(folder / "integrations.yaml", actions=[module]), "borrowed")
    finally:
        del sys.modules["birds_of_ours"], sys.modules["helpers_of_birds"]


def test_a_decorated_function_stays_a_function():
    assert "wrens" == count_wrens(None, {})


def test_what_the_decorator_says_is_known_of_the_action(folder):
    nango = load(folder / "integrations.yaml", actions=[count_small, count_wrens])
    with nango:
        core = nango._core
        tits = core.action(core.integration("birds"), "count-tits")
        wrens = core.action(core.integration("birds"), "count-wrens")

    assert ({"type": "object"}, {"type": "string"}, ("read",)) == (
        tits.input.document,
        tits.output.document,
        tits.scopes,
    )
    assert "Count the wrens." == wrens.description
    assert str(wrens.location).startswith(f"{__file__}:")


def test_an_action_of_a_blueprint_belongs_to_every_integration_that_extends_it(tmp_path):
    (tmp_path / "birds.yaml").write_text("name: birds\nversions:\n  v0:\n" + API)
    source = {"integrations": {"birds-eu": {"extends_blueprint": "birds:v0"}}}

    assert "wrens" == trigger(load(source, blueprints=[tmp_path], actions=[count_wrens]), "count-wrens", "birds-eu")


def test_an_action_of_no_integration_is_a_problem(folder):
    found = problems(load(folder / "integrations.yaml", actions=[count_small]))

    (problem,) = found
    assert "action.unknown_integration" == problem[0]
    assert "action 'count-small' is for 'fish', and there is no such integration." in problem[1]


@pytest.mark.parametrize("engine", [Nango, AsyncNango])
@pytest.mark.parametrize("wrong", [print, "birds", sys])
def test_what_holds_no_action_is_refused(folder, engine, wrong):
    with pytest.raises(nango_py.UsageError, match=r"holds no action\. Decorate a function with @nango_py\.action"):
        engine.load(folder / "integrations.yaml", store="memory://", environ={}, actions=[wrong])


# Entry points


def test_an_installed_package_names_actions(folder, pack):
    pack(
        {"birds.sing": "acme_songs:sing", "birds.whistle": "acme_whistle", "birds.hum": "acme_songs:hum"},
        acme_songs="""
            import nango_py
            def sing(ctx, given):
                return "a song"
            @nango_py.action("birds", "hum", output={"type": "integer"})
            def hum(ctx, given):
                return "no number"
        """,
        acme_whistle="""
            INPUT = {"type": "object"}
            def run(ctx, input):
                return "a whistle"
        """,
    )
    source = folder / "integrations.yaml"

    assert "a song" == trigger(load(source), "sing")
    assert "a whistle" == trigger(load(source), "whistle")
    with pytest.raises(nango_py.OutputError):
        trigger(load(source), "hum")


def test_a_package_is_imported_when_its_action_is_used_and_no_sooner(folder, pack):
    pack({"birds.sing": "acme_broken:sing"}, acme_broken="1/0")

    assert {"count": 3} == trigger(load(folder / "integrations.yaml"), "count")
    assert [] == problems(load(folder / "integrations.yaml"))
    with pytest.raises(
        nango_py.ConfigError,
        match=r"acme-birds: entry point birds\.sing = acme_broken:sing: it cannot be loaded: ZeroDivisionError",
    ):
        trigger(load(folder / "integrations.yaml"), "sing")


def test_an_entry_point_that_names_no_integration_or_no_action_name_is_passed_over(folder, pack):
    pack({"sing": "acme_x:sing", "birds.Sing!": "acme_x:sing", "fish.sing": "acme_x:sing"})

    assert [] == problems(load(folder / "integrations.yaml"))
    with pytest.raises(nango_py.UnknownAction):
        trigger(load(folder / "integrations.yaml"), "sing")


# Twice


def test_the_same_name_found_twice_is_a_problem_with_every_place(folder, pack):
    pack({"birds.count": "acme_x:count"})
    (folder / "birds" / "count.py").write_text(ACTION)

    @nango_py.action("birds")
    def count(ctx, given): ...

    line = count.__code__.co_firstlineno
    source = folder / "integrations.yaml"
    expected = (
        f"{source}:5:15: action 'count' of 'birds' is here and in {folder / 'birds' / 'count.py'}:1:1 "
        f"and in {__file__}:{line}:1 and in acme-birds: entry point birds.count = acme_x:count. "
        "Rename or remove one of them."
    )
    assert [("action.twice", expected)] == problems(load(source, actions=[count]))
    with pytest.raises(nango_py.ConfigError) as caught:
        trigger(load(source, actions=[count]), "count")
    assert expected == str(caught.value)


def test_two_given_functions_of_one_name_are_a_problem(folder):
    @nango_py.action("birds", "sing")
    def one(ctx, given): ...

    @nango_py.action("birds", "sing")
    def other(ctx, given): ...

    (found,) = problems(load(folder / "integrations.yaml", actions=[one, other]))
    assert "action.twice" == found[0]


# Folders


@pytest.mark.parametrize("name", ["../secret", "..", "/etc/passwd", "birds/sing", "sing.py", "", "Sing", "_sing"])
def test_an_action_s_name_never_becomes_a_path(folder, name):
    (folder / "secret.py").write_text(ACTION)
    (folder / "birds" / "Sing.py").write_text(ACTION)
    (folder / "birds" / "_sing.py").write_text(ACTION)
    with pytest.raises(nango_py.UnknownAction):
        trigger(load(folder / "integrations.yaml"), name)


def test_a_link_out_of_the_folder_is_a_problem_and_never_loaded(folder):
    (folder / "elsewhere.py").write_text("raise AssertionError\n")
    (folder / "birds" / "sing.py").symlink_to(folder / "elsewhere.py")
    source = folder / "integrations.yaml"

    message = (
        f"{folder / 'birds' / 'sing.py'}:1:1: the file is a link that leads out of birds/. "
        "Copy the file, or give its function to Nango.load(actions=[...])."
    )
    assert [("action.outside", message)] == problems(load(source))
    with pytest.raises(nango_py.ConfigError, match="leads out of birds/"):
        trigger(load(source), "sing")
    assert {"count": 3} == trigger(load(source), "count")


def test_a_folder_that_is_a_link_out_is_a_problem_too(folder):
    (folder / "birds").rmdir()
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "sing.py").write_text(ACTION)
    (folder / "birds").symlink_to(folder / "elsewhere")

    (found,) = problems(load(folder / "integrations.yaml"))
    assert "action.outside" == found[0]


def test_links_within_the_folder_are_followed(folder):
    data = folder / "birds" / "..2026"
    data.mkdir()
    (data / "sing.py").write_text(ACTION)
    (folder / "birds" / "sing.py").symlink_to(data / "sing.py")

    assert "from a file" == trigger(load(folder / "integrations.yaml"), "sing")


def test_a_link_to_the_whole_project_is_followed(folder, tmp_path):
    (folder / "birds" / "sing.py").write_text(ACTION)
    (tmp_path / "linked").symlink_to(folder)

    assert "from a file" == trigger(load(tmp_path / "linked" / "integrations.yaml"), "sing")
