"""Which addresses we may talk to: checked after DNS at the socket itself, and before a host is built or followed."""

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from string import Formatter
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

import httpcore
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from uku_web.vendors.calls import Call
from uku_web.vendors.errors import BadSettings
from uku_web.vendors.spec import VendorSpec

DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REFUSED_NETWORKS = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20")))


def is_public(text: str) -> bool:
    """Whether a numeric address is on the open internet, also when it carries an IPv4 address inside."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address not in _GLOBAL_UNICAST:
            return False
    if any(address.version == net.version and address in net for net in _REFUSED_NETWORKS):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def host_port(url: str) -> str:
    """The "host:port" of a URL, the port spelled out."""
    parts = urlsplit(url)
    return f"{(parts.hostname or '').lower()}:{parts.port or PORTS.get(parts.scheme, 0)}"


class Guard:
    """Says where sockets may go. `allowed` holds what the operator opened: "host:port", "host" or a network."""

    def __init__(self, allowed: Iterable[str] = ()):
        self.allowed = frozenset(entry.strip().lower() for entry in allowed if entry.strip())
        self._networks = tuple(ipaddress.ip_network(entry, strict=False) for entry in self.allowed if "/" in entry)

    def addresses(self, host: str, port: int) -> list[str]:
        """The numeric addresses of a host, all of them permitted. Raises BadSettings, or OSError when DNS fails."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses:
            raise OSError("the name has no address")
        name = host.lower().rstrip(".")
        if not {name, f"{name}:{port}"} & self.allowed and not all(map(self._permits, addresses)):
            raise BadSettings(
                f"The address {host} leads into a private network, where we do not go. Check the address, or ask the "
                "operator of this installation to allow it.",
                detail=f"{host}:{port} has an address that is not public",
            )
        return addresses

    def _permits(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        inside = any(address.version == net.version and address in net for net in self._networks)
        return inside or is_public(text)


_local = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything this thread reads or writes through a guarded socket ends within these seconds."""
    _local.until = time.monotonic() + seconds
    try:
        yield
    finally:
        _local.until = None


def _left(timeout: float | None, error: type[Exception]) -> float | None:
    until = getattr(_local, "until", None)
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise error("the time for the whole answer is over")
    return left if timeout is None else min(timeout, left)


class _TimedStream(httpcore.NetworkStream):
    """A socket that keeps the deadline: a time-out per read alone would let an answer drip for ever."""

    def __init__(self, inner: httpcore.NetworkStream):
        self._inner = inner

    def read(self, max_bytes, timeout=None):
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer, timeout=None):
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        return _TimedStream(
            self._inner.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout))
        )

    def get_extra_info(self, info):
        return self._inner.get_extra_info(info)

    def close(self):
        self._inner.close()


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to the very address that was checked, so that DNS cannot change its answer in between."""

    def __init__(self, guard: Guard):
        self._guard = guard
        self._inner = httpcore.SyncBackend()

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        try:
            addresses = self._guard.addresses(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"no address for {host}") from error
        failure: Exception = httpcore.ConnectError(f"no connection to {host}")
        for address in addresses:
            try:
                left = _left(timeout, httpcore.ConnectTimeout)
                return _TimedStream(self._inner.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def sleep(self, seconds):
        raise NotImplementedError("the door waits by itself")


def guarded_pools(guard: Guard) -> dict[str, type]:
    """The same for urllib3: pool classes by scheme whose sockets ask the guard."""

    class Guarded(HTTPConnection):
        def _new_conn(self):
            return _guarded_socket(guard, self)

    class GuardedTls(HTTPSConnection):
        def _new_conn(self):
            return _guarded_socket(guard, self)

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Guarded

    class TlsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = GuardedTls

    return {"http": Pool, "https": TlsPool}


def _guarded_socket(guard: Guard, connection: HTTPConnection) -> socket.socket:
    failure: Exception | None = None
    try:
        for address in guard.addresses(connection.host, connection.port):
            try:
                place = (address, connection.port)
                return create_connection(place, connection.timeout, socket_options=connection.socket_options)
            except OSError as error:
                failure = error
    except (OSError, UnicodeError) as error:
        failure = error
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"no connection to {connection.host} in time") from failure
    raise NewConnectionError(connection, f"no connection to {connection.host}") from failure


def checked_host(template: str, credentials: Mapping[str, str], spec: VendorSpec) -> str:
    """A variant's host with its {names} filled in. Each value must match its field and be one DNS label."""
    values = {name: _label(name, credentials, spec) for _, name, _, _ in Formatter().parse(template) if name}
    return template.format_map(values)


def _label(name: str, credentials: Mapping[str, str], spec: VendorSpec) -> str:
    value = str(credentials.get(name, "")).strip()
    field = next((field for field in spec.credentials if field.name == name), None)
    matches = field is None or field.pattern is None or re.fullmatch(field.pattern, value)
    if not matches or not DNS_LABEL.fullmatch(value):
        label = field.label if field else name
        sentence = (field.pattern_error if field else "") or f"{label} may hold only letters, digits and hyphens."
        raise BadSettings(sentence, field=name, detail=f"{name} does not fit into a host name")
    return value.lower()


def call_url(call: Call, hosts: Mapping[str, str], plain: frozenset[str], label: str) -> str:
    """The whole address of a call, to the letter as it is sent. `plain`: "host:port"s allowed without TLS."""
    base = hosts.get(call.host, "")
    if not base:
        raise BadSettings(f"{label} has no address for this yet.", detail=f"no host {call.host!r}")
    parts = urlsplit(base)
    if parts.scheme != "https" and not (parts.scheme == "http" and host_port(base) in plain):
        raise BadSettings(f"{label} is spoken to over https only.", detail=f"host {call.host!r}")
    query = call.query_text
    if query is None:
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in call.query)
    url = base + _path(call) + (f"?{query}" if query else "")
    if not re.fullmatch(r"[!-~]+", url) or "#" in url:
        raise BadSettings("A value in this request cannot be part of an address.", detail=f"path {call.path}")
    return url


def _path(call: Call) -> str:
    values = {name: quote(str(value), safe="") for name, value in call.path_values.items()}
    if not all(values.values()) or {".", ".."} & set(values.values()):
        # An empty id would turn "delete this one" into "delete all".
        raise BadSettings("An identifier in this request is empty or cannot be right.", detail=f"path {call.path}")
    return call.path.format_map(values) if values else call.path


class OnBase(NamedTuple):
    """Where an address from an answer stands below its base."""

    path: str
    query: str


def on_base(url: str, base: str) -> OnBase:
    """The path below `base` and the query of an address that a vendor's answer named, whole or relative.

    Raises BadSettings when it leads anywhere else: an answer must not choose whom we call.
    """
    try:
        found, own = urlsplit(urljoin(base + "/", url)), urlsplit(base)
        same = found.scheme == own.scheme and host_port(found.geturl()) == host_port(base)
    except ValueError:
        same = False
    root = own.path.rstrip("/") if same else ""
    plain = (
        bool(url) and same and "@" not in found.netloc and "\\" not in url and not re.search(r"[\x00-\x20\x7f]", url)
    )
    if not plain or not found.path.startswith(f"{root}/") or not _is_plain_path(found.path):
        raise BadSettings(
            "The accounting system's answer leads to another address, which we do not follow.",
            detail=f"an address from an answer is not on {host_port(base)}",
        )
    return OnBase(found.path[len(root) :], found.query)


def same_base(url: str, base: str) -> str:
    """The path alone of `on_base`."""
    return on_base(url, base).path


def _is_plain_path(path: str) -> bool:
    return not {".", ".."} & set(re.split(r"[/\\]", unquote(path)))
