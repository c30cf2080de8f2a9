"""Merit Aktiva (Estonia), Passeli Merit (Finland), 360 Księgowość (Poland): separate installations of one API."""

import hashlib
import hmac
import zlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from threading import Lock

from flask import Blueprint, Request, Response, request

from .books import Books
from .firm import Client
from .limits import Verdict, WindowLimiter
from .merit_customers import Handler
from .merit_fields import Refused, dumps, read_body, unauthorized
from .merit_invoices import WRITES
from .merit_payment import pay
from .merit_reads import READS, READS_V2
from .recent import Recent
from .standin import Account, World
from .switches import Scope

COUNTRIES = ("ee", "fi", "pl")
CALLS_PER_MINUTE = 60
FRESH_FOR = timedelta(minutes=5)
ANSWERS_REMEMBERED = 30_000_000  # bytes, packed
HANDLERS = {"v1": READS | WRITES, "v2": READS | READS_V2 | WRITES}
NOT_FOUND = "<!DOCTYPE html><html><head><title>404 - File or directory not found.</title></head><body>404</body></html>"


def sign(api_id: str, api_key: str, timestamp: str, body: bytes) -> str:
    """Base64 of the HMAC-SHA256 of id, stamp and body, keyed with the API key's text as shown."""
    message = api_id.encode() + timestamp.encode() + body
    return b64encode(hmac.new(api_key.encode("ascii"), message, hashlib.sha256).digest()).decode()


class Merit:
    kind = "merit"
    variants = COUNTRIES

    def __init__(self, world: World):
        self._world = world
        self._clients = {(c.books.variant, c.books.credentials["api_id"]): c for c in _kept_here(world.clients)}
        self._books: dict[tuple[str, str], Books] = {}
        self._limiter = WindowLimiter(60)
        self._answers = Recent(ANSWERS_REMEMBERED)
        self._opening = Lock()

    def base_path(self, variant: str | None) -> str:
        return f"/merit/{variant}/api"

    def auth_path(self, variant: str | None) -> str | None:
        return None

    def accounts(self) -> list[Account]:
        return [
            Account("merit", country, api_id, client.name, client.books.size, client.books.credentials)
            for (country, api_id), client in self._clients.items()
        ]

    def locate(self, request: Request) -> tuple[str | None, str | None]:
        variant = request.path.split("/")[2] if request.path.count("/") > 1 else None
        return variant if variant in COUNTRIES else None, _query(request).get("apiid", "").lower() or None

    def reset(self) -> None:
        self._limiter.reset()
        with self._opening:
            opened = list(self._books.values())
        for books in opened:
            books.reset()

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("merit", __name__)
        path = "/merit/<any(ee,fi,pl):country>/api/<any(v1,v2):version>/<call>"
        blueprint.add_url_rule(path, view_func=self._answer, methods=["GET", "POST"])
        blueprint.add_url_rule("/merit/<path:rest>", view_func=_nothing_here, methods=["GET", "POST"])
        blueprint.add_url_rule("/_control/merit/<any(ee,fi,pl):country>/pay", view_func=self._pay, methods=["POST"])
        return blueprint

    def books(self, country: str, api_id: str) -> Books:
        with self._opening:
            found = self._books.get((country, api_id))
            if found is None:
                client = self._clients[country, api_id]
                key = f"{self._world.seed}/merit/{country}/{api_id}"
                found = self._books[country, api_id] = Books(
                    country, key, client.books.size, self._world.clock, self._world.shelf, self._world.months
                )
            return found

    # One call

    def _answer(self, country: str, version: str, call: str) -> Response:
        handler = HANDLERS[version].get(call.lower())
        if handler is None:
            return _nothing_here()
        headers: dict[str, str] = {}
        try:
            client = self._caller(country, headers)
            books = self.books(country, client.books.credentials["api_id"])
            body = self._body(books, version, call.lower(), handler)
            response = Response(body, content_type="application/json; charset=utf-8")
        except Refused as refusal:
            response = refusal.response
        response.headers.update(headers)
        return response

    def _body(self, books: Books, version: str, call: str, handler: Handler) -> bytes:
        raw, clock = request.get_data(), self._world.clock

        def made() -> bytes:
            return dumps(handler(books, read_body(raw), clock, version)).encode()

        def packed() -> bytes:
            return zlib.compress(made(), level=1)

        if call in WRITES:
            return made()
        return zlib.decompress(self._answers.get((books, books.revision, clock.today(), version, call, raw), packed))

    def _caller(self, country: str, headers: dict[str, str]) -> Client:
        query = _query(request)
        api_id = query.get("apiid", "")
        scope = Scope("merit", country, api_id.lower(), request.path)
        lenient = self._world.board.take("lenient", scope) is not None
        if not api_id or not (lenient or (query.get("timestamp") and query.get("signature"))):
            raise unauthorized("api-missingurlparam")
        client = self._clients.get((country, api_id.lower()))
        if client is None or self._world.board.take("revoke", scope):
            raise unauthorized()
        if self._world.board.take("licence", scope):
            raise unauthorized("api-wronglicense")
        now = self._now(scope)
        self._count(scope, now, headers)
        if not lenient:
            _check_signature(client, query, now)
        return client

    def _count(self, scope: Scope, now: datetime, headers: dict[str, str]) -> None:
        quota = self._world.board.take("quota", scope)
        limit = quota.number(CALLS_PER_MINUTE) if quota else CALLS_PER_MINUTE
        verdict = self._limiter.take((scope.variant, scope.account), limit, now)
        headers.update(_limit_headers(verdict))
        if not verdict.allowed:
            headers["Retry-After"] = str(verdict.wait_seconds)
            raise Refused(429, "Too Many Requests")

    def _now(self, scope: Scope) -> datetime:
        skew = self._world.board.take("skew", scope)
        return self._world.clock.now() + timedelta(seconds=skew.number(0) if skew else 0)

    def _pay(self, country: str) -> Response:
        api_id = str((request.get_json(silent=True) or {}).get("api_id", "")).lower()
        if (country, api_id) not in self._clients:
            return Response(dumps({"error": "Unknown api_id."}), 404, mimetype="application/json")
        return pay(self.books(country, api_id), request.get_data(), self._world.clock)


def _kept_here(clients: list[Client]) -> list[Client]:
    return [client for client in clients if client.books and client.books.kind == "merit"]


def _query(request: Request) -> dict[str, str]:
    """The manual writes apiId, most clients ApiId; any case is taken."""
    return {name.lower(): value for name, value in request.args.items()}


def _check_signature(client: Client, query: dict[str, str], now: datetime) -> None:
    stamp = query["timestamp"]
    expected = sign(query["apiid"], client.books.credentials["api_key"], stamp, request.get_data())
    if not hmac.compare_digest(expected.encode(), query["signature"].encode()):
        raise unauthorized("api-invalidSignature")
    if not _is_fresh(stamp, now):
        # The text for a stale stamp is not documented; this one is ours.
        raise unauthorized("api-invalidTimestamp")


def _is_fresh(stamp: str, now: datetime) -> bool:
    if len(stamp) != 14 or not (stamp.isascii() and stamp.isdigit()):
        return False
    try:
        moment = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(now - moment) <= FRESH_FOR


def _limit_headers(verdict: Verdict) -> dict[str, str]:
    # The reset is a Unix time: https://api.merit.ee/connecting-robots/reference-manual/rate-limiter/
    return {
        "X-RateLimit-Limit": str(verdict.limit),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": str(int(verdict.resets_at.timestamp())),
    }


def _nothing_here(rest: str = "") -> Response:
    return Response(NOT_FOUND, 404, mimetype="text/html")
