"""TLS contexts, each built once: reading the authorities costs some 30 ms."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from nango_py.errors import UsageError
from nango_py.http import create_ssl_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nango_py.exchange.pool.profile import ClientCertificate

__all__ = ["Contexts"]


class Contexts:
    """Hold one context for every way to verify and to be verified."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._contexts: dict[tuple[bool | str, ClientCertificate | None, bool], ssl.SSLContext] = {}

    def get(
        self, verify: bool | str, client_certificate: ClientCertificate | None = None, *, http2: bool = False
    ) -> ssl.SSLContext:
        """Return the context, built at first use; raise UsageError where a file cannot be used.

        Each connection sets on its context what protocols it offers: those with *http2* have one of their own.
        """
        key = (verify, client_certificate, http2)
        context = self._contexts.get(key)
        if context is None:
            # Two event loops may build it at the same time; all go on with the first one.
            context = self._contexts.setdefault(key, self._build(verify, client_certificate))
        return context

    def _build(self, verify: bool | str, client_certificate: ClientCertificate | None) -> ssl.SSLContext:
        context = self._verifying(verify)
        if client_certificate is not None:
            _show(context, client_certificate)
        return context

    def _verifying(self, verify: bool | str) -> ssl.SSLContext:
        if isinstance(verify, str):
            return _trusting(verify, named_by="verify")
        if verify:
            for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
                if self._environ.get(name):
                    return _trusting(self._environ[name], named_by=name)
        return create_ssl_context(verify=verify, trust_env=False)


def _trusting(path: str, *, named_by: str) -> ssl.SSLContext:
    try:
        if Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = error.strerror or "not a PEM file"
        raise UsageError(f"{named_by}: cannot read certificates from {path!r} ({reason}); name a PEM file") from error


def _show(context: ssl.SSLContext, shown: ClientCertificate) -> None:
    password = shown.password.reveal() if shown.password is not None else None
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(shown.certificate, shown.key, password if password is not None else lambda: "")
    except OSError as error:
        reason = error.strerror or "wrong key or password"
        raise UsageError(f"client_certificate: cannot use {shown.certificate!r} ({reason})") from error
