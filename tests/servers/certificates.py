"""A certificate authority of one's own, strict enough for Python 3.13 (RFC 5280)."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Authority", "Certificate", "authority"]

DAY = dt.timedelta(days=1)
USAGES = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate and its key: files in PEM."""

    name: str
    """The common name of the subject."""
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Issues certificates into a folder."""

    folder: Path
    certificate: Path
    """What a client must trust: a file in PEM."""
    subject: x509.Name
    key: ec.EllipticCurvePrivateKey

    def server(self, name: str = "server") -> Certificate:
        """Return a certificate for ``127.0.0.1`` and ``localhost``."""
        address, host = x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")
        alternative = x509.SubjectAlternativeName([address, host])
        return self._issue(name, (alternative, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])))

    def client(self, name: str = "client") -> Certificate:
        """Return a certificate with which a client proves who it is."""
        alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
        return self._issue(name, (alternative, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])))

    def _issue(self, name: str, extensions: tuple[x509.ExtensionType, ...]) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), key.public_key(), self.subject, self.key.public_key(), signs=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        path = _write(self.folder / f"{name}.pem", builder.sign(self.key, hashes.SHA256()))
        return Certificate(name=name, certificate=path, key=_write_key(self.folder / f"{name}.key", key))


def authority(folder: Path, name: str = "test authority") -> Authority:
    """Return a new authority, whose files stand in ``folder``."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), _name(name)
    built = _builder(subject, key.public_key(), subject, key.public_key(), signs=True).sign(key, hashes.SHA256())
    return Authority(folder=folder, certificate=_write(folder / "authority.pem", built), subject=subject, key=key)


def _builder(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePublicKey,
    *,
    signs: bool,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    usages = dict.fromkeys(USAGES, False)
    usage = x509.KeyUsage(digital_signature=True, key_cert_sign=signs, crl_sign=signs, **usages)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=signs, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _write(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return path
