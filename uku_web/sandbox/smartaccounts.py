"""SmartAccounts (Estonia): one host, a pair of keys per company, services named `area/service:method`."""

import hashlib
import hmac
from datetime import date, datetime, timedelta
from threading import Lock

from flask import Blueprint, Request, Response, request

from .firm import Client
from .json_text import dumps
from .limits import RollingLimiter
from .recent import Recent
from .smartaccounts_books import SmartBooks
from .smartaccounts_calls import Action, Call, Company, Listing, Pages, Service
from .smartaccounts_control import control_rules
from .smartaccounts_documents import DOCUMENTS
from .smartaccounts_fields import SIGNING, Refused, bad, check_query, is_fresh, page_number, refusal, unavailable
from .smartaccounts_invoices import INVOICES
from .smartaccounts_parties import PARTIES
from .smartaccounts_reads import READS
from .standin import Account, World
from .switches import Scope

KIND = "smartaccounts"
SERVICES: dict[str, Service] = READS | DOCUMENTS | INVOICES | PARTIES
FRESH_FOR = timedelta(minutes=15)
MINUTE, DAY = 60, 24 * 60 * 60
CALLS_PER_MINUTE, CALLS_PER_DAY = 60, 1000
ANSWERS_REMEMBERED = 30_000_000  # bytes, packed
LIMIT_TEXTS = {
    "en": "Request limit exceeded: {calls} requests per {span}",
    "et": "Päringute limiit on ületatud: {calls} päringut, {span}",
}
SPANS = {MINUTE: {"en": "minute", "et": "minut"}, DAY: {"en": "24 hours", "et": "24 tundi"}}
BILL_TEXTS = {
    "en": "The service is closed because the SmartAccounts bill is unpaid",
    "et": "Teenus on suletud, sest SmartAccountsi arve on tasumata",
}


def sign(secret: str, query: str, body: bytes = b"") -> str:
    """Lower-case hex of the HMAC-SHA256 over the query as it is sent (without the signature) and the raw body."""
    return hmac.new(secret.encode(), query.encode() + body, hashlib.sha256).hexdigest()


class SmartAccounts:
    kind = KIND
    variants = (None,)

    def __init__(self, world: World):
        self._world = world
        self._clients = {c.books.credentials["api_key"]: c for c in world.clients if c.books and c.books.kind == KIND}
        self._books: dict[str, SmartBooks] = {}
        self._locked: dict[str, date] = {}
        self._limiter = RollingLimiter()
        self._answers = Recent(ANSWERS_REMEMBERED)
        self._opening = Lock()

    def base_path(self, variant: str | None) -> str:
        return f"/{KIND}"

    def auth_path(self, variant: str | None) -> str | None:
        return None

    def accounts(self) -> list[Account]:
        return [
            Account(KIND, None, api_key, client.name, client.books.size, client.books.credentials)
            for api_key, client in self._clients.items()
        ]

    def locate(self, request: Request) -> tuple[str | None, str | None]:
        return None, request.args.get("apikey") or None

    def reset(self) -> None:
        self._limiter.reset()
        with self._opening:
            opened = list(self._books.values())
            self._locked.clear()
        for books in opened:
            books.reset()

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(KIND, __name__)
        methods = ["GET", "POST"]
        for prefix, language in (("", "et"), ("/et", "et"), ("/en", "en")):
            path, defaults = f"/{KIND}{prefix}/api/<area>/<service>", {"language": language}
            blueprint.add_url_rule(path, f"answer{prefix}", self._answer, methods=methods, defaults=defaults)
        blueprint.add_url_rule(f"/{KIND}/<path:rest>", view_func=_nothing_here, methods=methods)
        control_rules(blueprint, KIND, self)
        return blueprint

    def company(self, api_key: str) -> Company | None:
        client = self._clients.get(api_key)
        if client is None:
            return None
        locked = self._locked.get(api_key) or self._closed_years()
        return Company(client.name, client.register_code, client.vat_number, self.books(api_key), locked)

    def books(self, api_key: str) -> SmartBooks:
        with self._opening:
            found = self._books.get(api_key)
            if found is None:
                key, size = f"{self._world.seed}/{KIND}/{api_key}", self._clients[api_key].books.size
                shared = self._world.clock, self._world.shelf, self._world.months
                found = self._books[api_key] = SmartBooks(key, size, *shared)
            return found

    def lock_until(self, api_key: str, day: date) -> None:
        """Closes the books up to that day."""
        with self._opening:
            self._locked[api_key] = day

    @property
    def clock(self):
        return self._world.clock

    def _closed_years(self) -> date:
        """All but this year and the last, unless a control call closed others."""
        return date(self._world.clock.today().year - 2, 12, 31)

    # One call

    def _answer(self, area: str, service: str, language: str) -> Response:
        found = SERVICES.get(f"{area}/{service}")
        if found is None:
            return _nothing_here()
        if isinstance(found, Action) and not found.reads and request.method != "POST":
            return Response("Method Not Allowed", 405, mimetype="text/plain")
        try:
            company = self._caller(language)
            query = {name: _single(values, name) for name, values in request.args.lists()}
            check_query(query, found.known)
            call = Call(company, query, request.get_data(), self._world.clock.now(), language)
            return self._listed(found, call, area + service) if isinstance(found, Listing) else _done(found, call)
        except Refused as refused:
            return refused.response

    def _listed(self, listing: Listing, call: Call, name: str) -> Response:
        page = page_number(call.query) if listing.paged else 1
        filters = tuple(sorted((k, v) for k, v in call.query.items() if k not in ("pageNumber", *SIGNING)))
        key = (call.books, call.books.revision, call.today, name, filters)
        pages = self._answers.get(key, lambda: Pages(listing, call))
        return Response(pages.page(page), content_type="application/json; charset=utf-8")

    # Who calls, and may they

    def _caller(self, language: str) -> Company:
        query, signature = _signed_part()
        api_key, stamp = request.args.get("apikey", ""), request.args.get("timestamp", "")
        scope = Scope(KIND, None, api_key or None, request.path)
        client = self._clients.get(api_key)
        if client is None or self._taken("revoke", scope):
            raise refusal(401, ("APIKEY-INVALID", "API key is not valid"))
        now = self._now(scope)
        if not self._taken("lenient", scope):
            _check_signature(client, query, signature)
            if not is_fresh(stamp, now, FRESH_FOR):
                raise refusal(401, ("TIMESTAMP-INVALID", "Timestamp is missing or too far from Estonian time"))
        if self._taken("licence", scope):
            raise refusal(401, ("ACCESS-DENIED", "The API user group has no right to this service"))
        if self._taken("unpaid", scope):
            raise unavailable(BILL_TEXTS[language])
        self._count(scope, now, language)
        return self.company(api_key)

    def _count(self, scope: Scope, now: datetime, language: str) -> None:
        switched = self._world.board.take("quota", scope), self._world.board.take("day-quota", scope)
        allowed = zip((MINUTE, DAY), switched, (CALLS_PER_MINUTE, CALLS_PER_DAY), strict=True)
        limits = {span: switch.number(usual) if switch else usual for span, switch, usual in allowed}
        full = self._limiter.take(scope.account, limits, now)
        if full is not None:
            span, wait = full
            told = LIMIT_TEXTS[language].format(calls=limits[span], span=SPANS[span][language])
            # The header is seen at times; here for the minute, not for the day.
            raise unavailable(told, wait if span == MINUTE else None)

    def _taken(self, fault: str, scope: Scope) -> bool:
        return self._world.board.take(fault, scope) is not None

    def _now(self, scope: Scope) -> datetime:
        skew = self._world.board.take("skew", scope)
        return self._world.clock.now() + timedelta(seconds=skew.number(0) if skew else 0)


def _signed_part() -> tuple[str, str]:
    """The query as it was sent up to the signature, and the signature; which is found at the end only."""
    sent = request.environ.get("QUERY_STRING", "")
    query, found, signature = sent.rpartition("&signature=")
    return (query, signature) if found else (sent, "")


def _check_signature(client: Client, query: str, signature: str) -> None:
    expected = sign(client.books.credentials["api_secret"], query, request.get_data())
    # Whether capital letters would do is not stated; they do not here. Anything behind the signature spoils it.
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise refusal(401, ("SIGNATURE-INVALID", "Signature is missing or wrong"))


def _single(values: list[str], name: str) -> str:
    if len(values) > 1:
        raise bad("REPEATED-PARAMETER", f"Parameter {name} is given more than once")
    return values[0]


def _done(action: Action, call: Call) -> Response:
    result = action.run(call)
    if isinstance(result, bytes):
        return Response(result, content_type="application/xml; charset=utf-8")
    return Response(dumps(result), content_type="application/json; charset=utf-8")


def _nothing_here(rest: str = "") -> Response:
    return Response("<html><head><title>404 Not Found</title></head><body>404</body></html>", 404, mimetype="text/html")
