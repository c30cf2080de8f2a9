"""Where a socket may go, and which addresses are built or followed."""

import socket
import threading
from types import SimpleNamespace

import httpcore
import pytest

from uku_web.vendors.addresses import Guard, GuardedBackend, call_url, checked_host, is_public, on_base, same_base
from uku_web.vendors.calls import Call
from uku_web.vendors.errors import BadSettings
from uku_web.vendors.spec import Field

REFUSED = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "3fff::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_off_the_open_internet_are_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address):
    assert is_public(address)


@pytest.fixture
def dns(monkeypatch):
    """dns["name"] = [addresses], or a list of such lists to be told one after the other."""
    names: dict[str, list] = {}
    asked: list[str] = []

    def getaddrinfo(host, port, *_args, **_kwargs):
        asked.append(host)
        found = names.get(host, [host])
        found = found.pop(0) if isinstance(found[0], list) else found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return SimpleNamespace(names=names, asked=asked)


def test_a_name_that_leads_inside_is_refused_until_the_operator_allows_it(dns):
    dns.names["books.example"] = ["10.0.0.7"]
    with pytest.raises(BadSettings, match="private network"):
        Guard().addresses("books.example", 443)
    for allowed in ("books.example:443", "BOOKS.example", "10.0.0.0/8"):
        assert Guard([allowed]).addresses("books.example", 443) == ["10.0.0.7"]
    with pytest.raises(BadSettings):
        Guard(["books.example:8443"]).addresses("books.example", 443)


def test_one_inner_address_among_public_ones_is_enough_to_refuse(dns):
    dns.names["books.example"] = ["93.184.216.34", "127.0.0.1"]
    with pytest.raises(BadSettings):
        Guard().addresses("books.example", 443)
    dns.names["books.example"] = ["93.184.216.34"]
    assert Guard().addresses("books.example", 443)


def test_dns_that_changes_its_answer_after_the_check_changes_nothing(dns, monkeypatch):
    """The first answer is public, every later one is loopback: we go to the first or nowhere."""
    dns.names["books.example"] = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]
    reached = []

    def connect(self, address):
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(httpcore.ConnectError):
        GuardedBackend(Guard()).connect_tcp("books.example", 443, timeout=1)
    assert reached == ["93.184.216.34"]
    with pytest.raises(BadSettings):
        GuardedBackend(Guard()).connect_tcp("books.example", 443, timeout=1)
    assert reached == ["93.184.216.34"]


def test_a_name_without_address_is_a_failed_connection(monkeypatch):
    def fails(*_args, **_kwargs):
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(httpcore.ConnectError):
        GuardedBackend(Guard()).connect_tcp("nowhere.example", 443)


def test_the_next_address_is_tried_when_one_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=lambda: server.accept()[0].close())
        thread.start()
        guard = Guard([f"127.0.0.1:{port}"])
        guard.addresses = lambda host, port: ["127.0.0.2", "127.0.0.1"]
        refuse, real = "127.0.0.2", socket.socket.connect

        def connect(self, address):
            if address[0] == refuse:
                raise ConnectionRefusedError
            return real(self, address)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket.socket, "connect", connect)
            stream = GuardedBackend(guard).connect_tcp("127.0.0.1", port, timeout=2)
        stream.close()
        thread.join()


SPEC = SimpleNamespace(
    credentials=(
        Field("site", "Site", pattern=r"[a-z0-9-]+", pattern_error="Give only the first part of the address."),
    )
)


def test_a_host_is_built_from_checked_parts():
    assert (
        checked_host("https://{site}.example.com/api", {"site": "Larch-1"}, _open())
        == "https://larch-1.example.com/api"
    )
    assert checked_host("https://api.example.com/v2", {}, SPEC) == "https://api.example.com/v2"


def _open():
    return SimpleNamespace(credentials=(Field("site", "Site"),))


@pytest.mark.parametrize(
    "value",
    ["", "a.b", "evil.com/", "a@b", "a:80", "-a", "a-", "a b", "127.0.0.1", "é", "a" * 64, "x#", "{site}", "a\nb"],
)
def test_a_value_that_is_more_than_one_label_is_refused(value):
    for spec in (SPEC, _open()):
        with pytest.raises(BadSettings) as error:
            checked_host("https://{site}.example.com", {"site": value}, spec)
        assert error.value.field == "site"
    assert checked_host("https://{site}.example.com", {"site": "larch"}, SPEC) == "https://larch.example.com"


BASE = "https://api.example.com/v2"


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("https://api.example.com/v2/contacts/1", "/contacts/1", ""),
        ("https://API.example.com:443/v2/contacts?page=2&a=%2F", "/contacts", "page=2&a=%2F"),
        ("/v2/invoices?page=3", "/invoices", "page=3"),
    ],
)
def test_an_address_from_an_answer_gives_its_path_below_the_base(url, path, query):
    assert on_base(url, BASE) == (path, query)
    assert same_base(url, BASE) == path


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v2/contacts",
        "http://api.example.com/v2/contacts",
        "https://api.example.com:8443/v2/contacts",
        "https://api.example.com@evil.example/v2/x",
        "https://user@api.example.com/v2/x",
        "https://api.example.com.evil.example/v2/x",
        "//evil.example/v2/x",
        "https://api.example.com/v1/contacts",
        "https://api.example.com/v20/contacts",
        "https://api.example.com/v2/../v1/x",
        "https://api.example.com/v2/%2e%2e/v1/x",
        "https://api.example.com/v2\\@evil.example/x",
        "https://api.example.com/v2/x\r\nHost: evil",
        "https://api.example.com:bad/v2/x",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_address_that_leads_anywhere_else_is_refused(url):
    with pytest.raises(BadSettings):
        on_base(url, BASE)


def url(call, base="https://api.example.com/v2", plain=frozenset()):
    return call_url(call, {"api": base}, plain, "Larch")


def test_a_call_s_address_is_written_with_every_value_encoded():
    call = Call("GET", "/c/{id}", path_values={"id": "a/b ü"}, query=(("q", "x&y=z +/"), ("ä", "")))
    assert url(call) == "https://api.example.com/v2/c/a%2Fb%20%C3%BC?q=x%26y%3Dz%20%2B%2F&%C3%A4="


def test_a_given_query_text_is_kept_to_the_letter():
    assert url(Call("GET", "/c", query=(("a", "b"),), query_text="x=a+b'%2f|~")).endswith("/v2/c?x=a+b'%2f|~")


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_an_identifier_that_would_change_the_meaning_of_a_path_is_refused(value):
    with pytest.raises(BadSettings):
        url(Call("DELETE", "/drafts/{id}", path_values={"id": value}))


@pytest.mark.parametrize("text", ["a b", "a\r\nX: y", "ü", "a#b"])
def test_a_query_text_that_would_break_the_request_is_refused(text):
    with pytest.raises(BadSettings):
        url(Call("GET", "/c", query_text=text))


def test_plain_http_is_only_for_what_the_operator_named():
    for base in ("http://api.example.com", "ftp://api.example.com", ""):
        with pytest.raises(BadSettings):
            url(Call("GET", "/c"), base)
    assert url(Call("GET", "/c"), "http://127.0.0.1:81", frozenset({"127.0.0.1:81"})) == "http://127.0.0.1:81/c"
