"""Which addresses belong to the public internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["is_public"]

_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
# The standard library's own list has grown over Python's releases; these are refused by all of them.
_SPECIAL_4 = (
    IPv4Network("192.0.0.0/24"),  # RFC 6890: the port control anycast in it (RFC 7723) is the nearest router
    IPv4Network("192.88.99.0/24"),  # RFC 7526: the nearest 6to4 relay
)
_SPECIAL_6 = (
    IPv6Network("2001::/23"),  # RFC 2928, with Teredo (RFC 4380) and ORCHID in it
    IPv6Network("2001:db8::/32"),  # RFC 3849
    IPv6Network("2002::/16"),  # RFC 3056: 6to4 goes to the IPv4 address inside
    IPv6Network("3fff::/20"),  # RFC 9637
)


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one that the whole internet reaches; a text that is no address is not.

    Not public is what IANA's registries (RFC 6890) call special: private, loopback, link-local, shared (RFC 6598),
    multicast, unspecified, reserved, for documentation. An IPv6 address that stands for an IPv4 one is judged by that
    where it is mapped (RFC 4291) or translated (RFC 6052); the other such forms (IPv4-compatible, 6to4, Teredo,
    local-use translation) are history or local, and never public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_4(parsed) if isinstance(parsed, IPv4Address) else _is_public_6(parsed)


def _is_public_4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL_4)


def _is_public_6(address: IPv6Address) -> bool:
    if address in _MAPPED or address in _NAT64:
        return _is_public_4(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST and address.is_global and not any(address in network for network in _SPECIAL_6)
