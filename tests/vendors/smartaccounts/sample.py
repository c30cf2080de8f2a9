"""SmartAccounts' good answers, for the contract that all vendors keep. The books in fixtures/ are made up."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from uku_web.vendors.errors import BadSettings, NeedsReauth, NotPermitted, RateLimited, Refused, Temporary
from uku_web.vendors.records import Invoice, InvoiceCustomer, InvoiceRow, Month, Target
from uku_web.vendors.smartaccounts.reading import get, rows

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)

CREDENTIALS = {"api_key": "sandboxPublic0001", "api_secret": "sandboxSecret0001"}
TARGETS = [Target("one"), Target("two")]
MONTHS = [Month(2025, 1), Month(2025, 2), Month(2025, 3)]
INVOICE = Invoice(
    number="UKU-1007",
    on=date(2025, 1, 15),
    due=date(2025, 1, 29),
    currency="EUR",
    reference="uku-7",
    customer=InvoiceCustomer(name="Näidis OÜ", register_number="10000001"),
    rows=(InvoiceRow("Raamatupidamine", Decimal(1), Decimal(100), product="TEENUS", tax_code="24"),),
)
EXPORTED = [{"id": "inv-501", "number": "UKU-1007", "date": "2025-01-15", "customer_id": "c-1001"}]
EMPTY = {"vatPcs": []}

LIMITED = [
    ({"Retry-After": "17"}, datetime(2026, 1, 15, 10, 30, 17, tzinfo=UTC)),
    ({"X-RateLimit-Reset": "1768473060"}, None),  # not a header of theirs
    ({}, None),
    ({"Retry-After": "soon"}, None),
]

FILTERS = {"id", "clientId", "invoiceNumber", "docType"}

# A 503 is the limit rather than an outage, unless it holds a web page.
STATUS = {503: (RateLimited, Temporary)}

# Answers of the vendor's own, and what they mean: (status, body, error, the field it names).
OWN_ERRORS = [
    (401, b"", NeedsReauth, "api_secret"),
    (401, b'{"errors":[{"key":"SIGNATURE-INVALID","message":"Invalid signature"}]}', NeedsReauth, "api_secret"),
    (401, b"Vale allkiri", NeedsReauth, "api_secret"),
    (401, b'{"error":"Unknown API key"}', NeedsReauth, "api_key"),
    (401, b"apikey not found", NeedsReauth, "api_key"),
    (401, b"Wrong apikey or signature", NeedsReauth, "api_secret"),
    (401, b'"Timestamp differs by more than 15 minutes"', BadSettings, None),
    (401, b'{"error":"Denied"}', NeedsReauth, "api_secret"),
    (401, b"ACCESS-DENIED The API user group has no right to this service", NotPermitted, None),
    (403, b"", NotPermitted, None),
    (503, b"Request limit exceeded", RateLimited, None),
    (503, b"\xc3\x9cletatud on lubatud p\xc3\xa4ringute arv", RateLimited, None),
    (503, b'{"message":"SmartAccounts bill is unpaid"}', NotPermitted, None),
    (503, b"Arve on tasumata", NotPermitted, None),
    (503, b"", RateLimited, None),
    (503, b"<html><body>Maintenance</body></html>", Temporary, None),
    (400, b'{"errors":[{"key":"PERIOD-LOCKED","message":"Period is locked"}]}', Refused, None),
    (400, b'"Body could not be read"', Refused, None),
    (400, b"", Refused, None),
    (400, b'[{"a":{"b":["no",1,null]}}]', Refused, None),
    (200, b'{"errors":[{"message":"no"}]}', Refused, None),
    (200, b'"no data"', Temporary, None),
    (500, b'{"message":"Internal"}', Temporary, None),
]


def fixture(name: str):
    return json.loads((FIXTURES / f"{name}.json").read_text(), parse_float=Decimal)


def reply(call):
    """What the made-up books answer; lists keep to what is asked for."""
    asked, service = dict(call.query), call.path.rpartition("/")[2]
    if service == "clients:add":
        return 201, {}, {"clientId": "c-2001", "referenceNumber": 20013}
    if service == "clientinvoices:add":
        return _created(json.loads(call.body, parse_float=Decimal))
    if service == "clientinvoices:getxml":
        return 200, {"Content-Type": "application/xml"}, (FIXTURES / "einvoice.xml").read_bytes()
    return _chosen(fixture(service.removesuffix(":get")), asked)


def product_of(connector) -> str:
    """The code of an article to send with; articles are no data that we import."""
    (article, *_) = rows(connector.send(get("purchasesales/articles:get")), "articles")
    return article["code"]


def _created(body):
    net = sum(Decimal(row["price"]) * Decimal(row["quantity"]) for row in body["rows"])
    told = {"amount": net, "vatAmount": body["totalAmount"] - net, "totalAmount": body["totalAmount"]}
    rest = {"invoiceId": "inv-501", "clientId": body["clientId"], "number": 12, "referenceNumber": 10074}
    return {**rest, **told, "invoiceNumber": body["invoiceNumber"], "dueDate": body["dueDate"]}


def _chosen(value, asked):
    if "hasMoreEntries" in value:
        key = next(iter(value))
        value[key] = [row for row in value[key] if _fits(row, asked)]
    return value


def _fits(row, asked) -> bool:
    """Filters that are named as fields are, and periods."""
    on = _date(row["date"]) if "date" in row else None
    return (
        all(str(row.get(name)) == asked[name] for name in FILTERS & asked.keys())
        and (on is None or "dateFrom" not in asked or on >= _date(asked["dateFrom"]))
        and (on is None or "dateTo" not in asked or on <= _date(asked["dateTo"]))
        and (asked.get("paymentStatus") != "unpaid" or row["outstandingAmount"] > 0)
    )


def _date(text) -> date:
    return date(*(int(part) for part in reversed(text.split("."))))
