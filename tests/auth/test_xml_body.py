"""XML bodies: what is written, what is read, and what is refused before it can grow."""

from __future__ import annotations

import pytest

from nango_py.auth.xml_body import read_xml, written_xml

LAUGHS = b"""<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]><lolz>&lol2;</lolz>"""
OUTSIDE = b"""<!DOCTYPE a [<!ENTITY secret SYSTEM "file:///etc/passwd">]><a>&secret;</a>"""


def test_data_becomes_elements_attributes_and_lists():
    data = {"request": {"control": {"$id": "1", "unique": False, "n": 3, "empty": None}, "user": ["a", "b"]}}

    assert (
        b'<request><control id="1"><unique>false</unique><n>3</n><empty /></control><user>a</user><user>b</user></request>'
        == written_xml(data)
    )


def test_a_value_stays_a_value():
    assert b'<a b="&quot;&gt;"><c>&lt;x&gt;&amp;amp;</c></a>' == written_xml({"a": {"$b": '">', "c": "<x>&amp;"}})


@pytest.mark.parametrize(
    "data", [{}, {"a": 1, "b": 2}, {"a b": 1}, {"a": {"<x>": 1}}, {"a": "\x00"}, {"a": {"$b ": 1}}]
)
def test_what_xml_cannot_hold_is_refused(data):
    with pytest.raises(ValueError, match="XML"):
        written_xml(data)


def test_elements_become_data():
    document = (
        b'<?xml version="1.0"?><s:r xmlns:s="urn:x"><a x="1"> t </a><b/><c>1</c><c>2</c><c>3</c><d>&lt;</d></s:r>'
    )

    assert {"r": {"a": " t ", "b": "", "c": ["1", "2", "3"], "d": "<"}} == read_xml(document)


@pytest.mark.parametrize("document", [LAUGHS, OUTSIDE, b"<a>", b"", b"<a>&nbsp;</a>", b"<a>" * 100 + b"</a>" * 100])
def test_documents_that_declare_nest_or_break_are_refused(document):
    with pytest.raises(ValueError, match="the XML"):
        read_xml(document)


@pytest.mark.parametrize("encoding", ["none-such", "undefined", "base64", "utf-7"])
def test_an_encoding_that_cannot_be_read_is_refused(encoding):
    with pytest.raises(ValueError, match=r"XML is not well-formed|not supported"):
        read_xml(f"<?xml version='1.0' encoding='{encoding}'?><a/>".encode())
