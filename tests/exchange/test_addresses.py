from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from nango_py.exchange.pool.addresses import is_public

PUBLIC_4 = ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"]
PUBLIC_4 += ["128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0"]
PUBLIC_4 += ["192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0"]
PUBLIC_4 += ["223.255.255.255"]

PRIVATE_4 = [
    *("0.0.0.0", "0.0.0.1", "0.255.255.255"),  # this network
    *("10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"),  # private
    *("100.64.0.0", "100.100.100.200", "100.127.255.255"),  # shared (carrier-grade NAT)
    *("127.0.0.0", "127.0.0.1", "127.255.255.255"),  # loopback
    *("169.254.0.0", "169.254.169.254", "169.254.170.2", "169.254.255.255"),  # link-local, metadata services
    *("192.0.0.0", "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.0.0.255"),  # protocol assignments
    *("192.0.2.0", "192.0.2.255", "198.51.100.1", "203.0.113.1"),  # documentation
    *("192.88.99.0", "192.88.99.255"),  # 6to4 relays
    *("198.18.0.0", "198.19.255.255"),  # benchmarks
    *("224.0.0.0", "224.0.0.251", "239.255.255.255"),  # multicast
    *("240.0.0.0", "255.255.255.254", "255.255.255.255"),  # reserved, broadcast
]

PUBLIC_6 = ["2000::", "2001:200::", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2a00:1450::1"]
PUBLIC_6 += ["2620:0:ccc::2", "2001:db7:ffff::1", "2001:db9::", "3ffe::1"]

PRIVATE_6 = [
    *("::", "::1", "::2"),  # unspecified, loopback
    *("fc00::", "fd00:ec2::254", "fd12:3456::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),  # unique local
    *("fe80::", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "feff::1"),  # link-local, site-local
    *("ff00::", "ff02::1", "ff0e::1", "ffff::1"),  # multicast
    *("100::1", "100:0:0:1::1", "5f00::1", "4000::1", "1fff:ffff::1", "8000::1"),  # discard, segments, unassigned
    *("2001::1", "2001:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff:ffff::1"),  # protocol assignments
    *("2001:db8::", "2001:db8:ffff::1", "3fff::1", "3fff:fff:ffff::1"),  # documentation
    *("64:ff9b:1::808:808", "64:ff9b:1:ffff::1", "64:ff9b:0:0:0:1:808:808", "64:ff9b:2::1"),  # local translation
]


def every(address, form):
    return IPv6Address(form(int(IPv4Address(address))))


def mapped(number):
    return 0xFFFF << 32 | number


def translated(number):
    return 0x64FF9B << 96 | number


def sixtofour(number):
    return 0x2002 << 112 | number << 80 | 1


def teredo_client(number):
    return 0x20010000 << 96 | int(IPv4Address("8.8.8.8")) << 64 | (number ^ 0xFFFFFFFF)


def teredo_server(number):
    return 0x20010000 << 96 | number << 64 | (int(IPv4Address("8.8.8.8")) ^ 0xFFFFFFFF)


def compatible(number):
    return number


def local_translation(number):
    return 0x64FF9B0001 << 80 | number


@pytest.mark.parametrize("address", [*PUBLIC_4, *PUBLIC_6])
def test_an_address_of_the_internet_is_public(address):
    assert (True, True) == (is_public(address), is_public(ip_address(address)))


@pytest.mark.parametrize("address", [*PRIVATE_4, *PRIVATE_6])
def test_a_special_address_is_not_public(address):
    assert (False, False) == (is_public(address), is_public(ip_address(address)))


@pytest.mark.parametrize("form", [mapped, translated])
def test_a_mapped_or_translated_address_is_judged_by_the_one_inside(form):
    assert [True] * len(PUBLIC_4) == [is_public(every(address, form)) for address in PUBLIC_4]
    assert [False] * len(PRIVATE_4) == [is_public(every(address, form)) for address in PRIVATE_4]


@pytest.mark.parametrize("form", [compatible, local_translation, sixtofour, teredo_client, teredo_server])
def test_other_forms_that_hold_an_address_are_never_public(form):
    assert set() == {address for address in [*PUBLIC_4, *PRIVATE_4] if is_public(every(address, form))}


@pytest.mark.parametrize(
    "text", ["::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::169.254.169.254", "2002:7f00:1::"]
)
def test_written_forms_of_private_addresses_are_known(text):
    assert is_public(text) is False


@pytest.mark.parametrize(
    "text", ["", "localhost", "example.com", "0x7f.1", "127.1", "2130706433", "8.8.8.8 ", "[::]"]
)
def test_what_is_no_address_is_not_public(text):
    assert is_public(text) is False


def test_the_metadata_services_of_clouds_are_not_public():
    known = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "169.254.170.2", "fd20:ce::254", "192.0.0.192"]

    assert [False] * len(known) == [is_public(address) for address in known]
