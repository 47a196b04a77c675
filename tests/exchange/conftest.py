"""A raw HTTP/1.1 server and proxy on loopback, TLS certificates, and one face for both pools."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import ipaddress
import socket
import ssl
import threading
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nango_py.exchange.pool import PROFILE_EXTENSION, AsyncPool, Pool, Profile
from nango_py.http import Request


class Server:
    """Answer by path; ``log`` holds (connection number, request line), ``headers`` the head of each request."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, credentials: str | None = None) -> None:
        self.tls, self.credentials = tls, credentials
        self.log: list[tuple[int, str]] = []
        self.headers: list[str] = []
        self.gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self.arrivals = threading.Semaphore(0)
        self.closed = threading.Semaphore(0)
        self.accepted = 0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        # A thread that comes to its gate only now must not wait there for ever.
        self.gates.default_factory = _open_gate
        for gate in list(self.gates.values()):
            gate.set()
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                self._sockets.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection, self.accepted))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._sockets.append(connection)
            with connection, connection.makefile("rb") as file:
                while (head := self._head(file)) and self._answer(connection, file, number, head):
                    pass
        self.closed.release()

    def _head(self, file) -> str:
        lines = []
        while (line := file.readline()).strip():
            lines.append(line.decode("latin-1"))
        return "".join(lines)

    def _answer(self, connection, file, number: int, head: str) -> bool:
        method, target, _ = head.split(" ", 2)
        self.headers.append(head)
        self.log.append((number, f"{method} {target}"))
        length = [int(line.split(":")[1]) for line in head.lower().splitlines() if line.startswith("content-length")]
        body = file.read(length[0]) if length else b""
        if self.credentials and f"Proxy-Authorization: Basic {self.credentials}" not in head:
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            return True
        if method == "CONNECT":
            return self._tunnel(connection, target)
        return self._respond(connection, number, f"{number} {method} {target} {body.decode()}".strip(), target)

    def _respond(self, connection, number: int, text: str, target: str) -> bool:
        kind, _, name = target.lstrip("/").partition("/")
        if kind == "slow":
            self.arrivals.release()
            self.gates[name].wait()
        if kind == "drop":
            return False
        if kind == "chunked":
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
            )
        elif kind == "halfway":
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal")
        elif kind == "stalled":
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nsta")
            self.arrivals.release()
            self.gates[name].wait()
        elif kind == "drip":
            connection.sendall(
                b"HTTP/1.1 200 OK\r\n" + (b"content-length: 1000000\r\n\r\n" if name == "body" else b"")
            )
            while not self.gates[name].wait(0.002):
                connection.sendall(b"x")
        elif kind == "nonsense":
            connection.sendall(b"this is not HTTP\r\n\r\n")
        else:
            headers = "set-cookie: session=cookie-secret\r\n" if kind == "cookie" else ""
            connection.sendall(f"HTTP/1.1 200 OK\r\n{headers}content-length: {len(text)}\r\n\r\n{text}".encode())
        return kind not in ("close", "halfway", "nonsense")

    def _tunnel(self, connection, target: str) -> bool:
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port))) as other:
            self._sockets.append(other)
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=_copy, args=(other, connection))
            back.start()
            _copy(connection, other)
            back.join()
        return False


def _open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def serve():
    servers = []

    def start(**options):
        servers.append(Server(**options))
        return servers[-1]

    yield start
    for server in reversed(servers):
        server.stop()


@pytest.fixture
def server(serve):
    return serve()


class Clock:
    """Stand still until told otherwise."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self):
        return self.time

    def monotonic(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds

    async def asleep(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


TIMEOUT = {"connect": 20, "read": 20, "write": 20, "pool": 20}


def request(url, *, method="GET", profile=None, timeout=TIMEOUT, content=None, headers=None, **extensions):
    if profile is not None:
        extensions[PROFILE_EXTENSION] = profile
    return Request(method, url, content=content, headers=headers, extensions={"timeout": timeout, **extensions})


@dataclass
class Face:
    """Drive either pool from one coroutine: the sync pool never suspends it."""

    kind: str
    pool: Pool | AsyncPool

    async def get(self, url, **options):
        """Return the text of the answer."""
        answer = await self.send(request(url, **options))
        return (await self.read(answer)).decode()

    async def send(self, request):
        if isinstance(self.pool, Pool):
            return self.pool.handle_request(request)
        return await self.pool.handle_async_request(request)

    async def read(self, answer):
        try:
            return answer.read() if isinstance(self.pool, Pool) else await answer.aread()
        finally:
            await self.close(answer)

    async def close(self, thing):
        await thing.aclose() if not isinstance(self.pool, Pool) else thing.close()

    def first_part(self, answer):
        return _first_sync(answer) if isinstance(self.pool, Pool) else _first_async(answer)

    def lines(self):
        """Return (in use, idle) of the running loop."""
        books = self.pool._books if isinstance(self.pool, Pool) else next(iter(self.pool._loops.values()))
        return sum(origin.busy for origin in books._origins.values()), len(books._idle)


async def _first_sync(answer):
    return next(answer.iter_raw())


async def _first_async(answer):
    parts = answer.aiter_raw()
    part = await anext(parts)
    await parts.aclose()
    return part


@pytest.fixture(params=["sync", "asyncio", "trio"])
def run(request):
    """Run a scenario (a coroutine function of a Face) with a fresh pool, which is closed afterwards."""

    def start(scenario, **options):
        options.setdefault("environ", {})
        if request.param == "sync":
            return _step(_within(Face("sync", Pool(**options)), scenario))
        face = Face(request.param, AsyncPool(**options))
        return anyio.run(functools.partial(_within, face, scenario), backend=request.param)

    return start


async def _within(face, scenario):
    try:
        return await scenario(face)
    finally:
        await face.close(face.pool)


def _step(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the sync pool suspended")


@dataclass
class Authority:
    """A certificate authority of this test run, and a server context certified by it."""

    path: str
    server: ssl.SSLContext
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def hash(self) -> str:
        """The file name (X509_NAME_hash) by which OpenSSL finds the authority in a folder."""
        digest = hashlib.sha1(self.certificate.subject.public_bytes()[2:]).digest()
        return f"{int.from_bytes(digest[:4], 'little'):08x}"

    def certify(self, name, folder, *, password=None):
        """Write the key and the certificate of a client; return their paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, key, self.certificate.subject, self.key, ca=False)
        return _write(folder / f"{name}.pem", certificate), _write_key(folder / f"{name}.key", key, password)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    root = _certificate("test authority", key, name, key, ca=True)
    path = _write(folder / "ca.pem", root)
    made = Authority(path, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), key, root)
    made.server.load_cert_chain(*made.certify("server", folder))
    return made


def _certificate(name, key, issuer, issuer_key, *, ca):
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        # Python 3.13 checks certificates strictly (VERIFY_X509_STRICT): RFC 5280 wants these of everybody.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_usage(signs=ca), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _usage(*, signs):
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    rest = dict.fromkeys((*names, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=True, key_cert_sign=signs, **rest)


def _write(path, certificate):
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return str(path)


def _write_key(path, key, password):
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return str(path)


@pytest.fixture
def ask():
    """The function that builds a request; test modules under importlib cannot import it."""
    return request


@pytest.fixture
def small():
    return Profile(max_connections=1)
