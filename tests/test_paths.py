from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_py.paths import compile_path

DOCUMENT = {
    "data": [{"id": 1}, {"id": 2, "tags": ["a", "b"]}],
    "@odata.nextLink": "next",
    "meta": {"next-page": 7, "total count": 0, "deep.key": "joined", "none": None, "3": "three"},
    "meta.none": "flat",
    "a.b": "flat",
    "x": {"y": "nested"},
    "x.y": "flat",
    "": "empty name",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DOCUMENT),
        ("data", DOCUMENT["data"]),
        ("data[0].id", 1),
        ("data.0.id", 1),
        ("data[-1].id", 2),
        ("data.-1.id", 2),
        ("data[1].tags[1]", "b"),
        ("data[2].id", None),
        ("data[-3]", None),
        ("data.id", None),
        ("@odata.nextLink", "next"),
        ("meta.next-page", 7),
        ("meta.total count", 0),
        ("meta.deep.key", "joined"),
        ("meta.3", "three"),
        ("meta[3]", None),
        ("a.b", "flat"),
        ("x.y", "nested"),
        ("meta.none", None),
        ("meta.next-page.deeper", None),
        ("missing.path", None),
        ("data[].id", [1, 2]),
        ("data[?id == `2`].tags | [0]", ["a", "b"]),
        ("length(data)", 2),
        ('"a.b"', "flat"),
        ("max_by(data, &tags).id", None),
        ("length(meta.none)", None),
    ],
)
def test_a_path_finds_its_value(text, expected):
    assert expected == compile_path(text).find(DOCUMENT)


@pytest.mark.parametrize("document", [None, 5, "text", True, [], {}, [[]], {"data": "text"}])
@pytest.mark.parametrize("text", ["data[0].id", "data.x", "[0]", "data[].id", "sum(data)", "avg(@)", "data[-1].id"])
def test_a_path_finds_nothing_where_types_do_not_fit(text, document):
    found = compile_path(text).find(document)

    assert found is None or found == []


def test_an_index_may_come_first():
    expected = "b"

    assert expected == compile_path("[0].a").find([{"a": "b"}])


@pytest.mark.parametrize("text", ["a..b", "a.", ".", "a[", "a[x", "a(", "a[0]b", "(" * 400, "nothing(a)" + "." * 3])
def test_a_broken_path_says_what_a_path_is(text):
    with pytest.raises(ValueError, match=r"neither a plain path .* nor JMESPath"):
        compile_path(text)


def test_an_endless_path_is_refused():
    with pytest.raises(ValueError, match="at most 500 characters"):
        compile_path("a." * 300 + "a")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@pytest.mark.filterwarnings("ignore:deprecated string literal:PendingDeprecationWarning")
@given(text=st.text(alphabet='ab.[]0-1()|&*?"`@ {}', max_size=12), document=JSON)
def test_finding_never_raises(text, document):
    try:
        path = compile_path(text)
    except ValueError:
        return
    path.find(document)


@given(names=st.lists(st.text(alphabet="ab-$@ ", min_size=1), min_size=1, max_size=5), value=st.integers())
def test_a_dotted_path_finds_what_its_names_enclose(names, value):
    document = value
    for name in reversed(names):
        document = {name: document}

    assert value == compile_path(".".join(names)).find(document)
