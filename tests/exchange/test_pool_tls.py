from __future__ import annotations

import ssl
import traceback
from pathlib import Path

import pytest

from nango_py import http
from nango_py.errors import UsageError
from nango_py.exchange.pool import ClientCertificate, Profile
from nango_py.secret import Secret


def test_the_authority_comes_from_ssl_cert_file(run, serve, authority):
    server = serve(tls=authority.server)

    async def scenario(face):
        return [await face.get(f"{server.origin}/echo") for _ in range(2)], face.pool._dialler.contexts._contexts

    answers, contexts = run(scenario, environ={"SSL_CERT_FILE": authority.path})
    assert (answers, len(contexts)) == (["1 GET /echo", "1 GET /echo"], 1)


def test_the_authority_comes_from_ssl_cert_dir(run, serve, authority, tmp_path):
    server = serve(tls=authority.server)
    # OpenSSL finds an authority in a folder by the hash of its name.
    (tmp_path / f"{authority.hash}.0").write_bytes(Path(authority.path).read_bytes())

    async def scenario(face):
        return await face.get(f"{server.origin}/echo")

    assert run(scenario, environ={"SSL_CERT_DIR": str(tmp_path)}) == "1 GET /echo"


def test_an_unknown_authority_is_a_connect_error(run, serve, authority):
    server = serve(tls=authority.server)

    async def scenario(face):
        with pytest.raises(http.ConnectError) as caught:
            await face.get(f"{server.origin}/echo")
        return "".join(traceback.format_exception(caught.value)), face.lines()

    told, lines = run(scenario)
    # httpcore's message is empty under trio, its causes are not.
    assert ("CERTIFICATE_VERIFY_FAILED" in told, lines) == (True, (0, 0))


def test_a_profile_names_its_own_authority_or_none(run, serve, authority):
    server = serve(tls=authority.server)

    async def scenario(face):
        return [
            await face.get(f"{server.origin}/echo", profile=Profile(verify=verify))
            for verify in (authority.path, False)
        ]

    assert run(scenario) == ["1 GET /echo", "2 GET /echo"]


@pytest.mark.parametrize("password", [None, b"pass"])
def test_a_client_certificate_is_shown(run, serve, authority, tmp_path, password):
    certificate, key = authority.certify("client", tmp_path, password=password)
    strict = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    strict.load_cert_chain(*authority.certify("server", tmp_path))
    strict.load_verify_locations(authority.path)
    strict.verify_mode = ssl.CERT_REQUIRED
    server = serve(tls=strict)
    secret = Secret(password.decode()) if password else None
    shown = ClientCertificate(certificate=certificate, key=key, password=secret)

    async def scenario(face):
        profile = Profile(verify=authority.path, client_certificate=shown)
        text = await face.get(f"{server.origin}/echo", profile=profile)
        with pytest.raises(http.TransportError):
            await face.get(f"{server.origin}/echo", profile=Profile(verify=authority.path))
        return text

    assert run(scenario) == "1 GET /echo"


def test_missing_files_are_named(run, tmp_path, authority):
    async def scenario(face):
        told = []
        for profile in (
            Profile(),
            Profile(verify="/nowhere.pem"),
            Profile(verify=authority.path, client_certificate=ClientCertificate(certificate="/no.pem")),
        ):
            with pytest.raises(UsageError) as caught:
                await face.get("https://127.0.0.1:1/", profile=profile)
            told.append(str(caught.value))
        return told, face.lines()

    told, lines = run(scenario, environ={"SSL_CERT_FILE": str(tmp_path / "gone.pem")})
    assert [
        f"SSL_CERT_FILE: cannot read certificates from '{tmp_path}/gone.pem' (No such file or directory); name a PEM file",
        "verify: cannot read certificates from '/nowhere.pem' (No such file or directory); name a PEM file",
        "client_certificate: cannot use '/no.pem' (No such file or directory)",
    ] == told
    assert lines == (0, 0)


def test_an_encrypted_key_without_its_password_is_an_error_not_a_prompt(run, authority, tmp_path):
    certificate, key = authority.certify("client", tmp_path, password=b"pass")
    profile = Profile(verify=False, client_certificate=ClientCertificate(certificate=certificate, key=key))

    async def scenario(face):
        with pytest.raises(UsageError) as caught:
            await face.get("https://127.0.0.1:1/", profile=profile)
        return str(caught.value)

    assert run(scenario).startswith(f"client_certificate: cannot use '{certificate}' (")


def test_a_plain_process_builds_no_context(run, server):
    async def scenario(face):
        await face.get(f"{server.origin}/echo")
        return face.pool._dialler.contexts._contexts

    assert run(scenario) == {}
