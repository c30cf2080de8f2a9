"""Merit's good answers, for the contract that all vendors keep. The books in fixtures/ are made up."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from uku_web.vendors.errors import NeedsReauth, NotPermitted, Refused, Temporary
from uku_web.vendors.records import Invoice, InvoiceCustomer, InvoiceRow, Month, Target

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)

CREDENTIALS = {
    "api_id": "11111111-2222-4333-8444-555555555555",
    "api_key": "c2FuZGJveC1tZXJpdC1rZXktMDAwMQ==",
    "country": "ee",
}
TARGETS = [Target("one"), Target("two")]
MONTHS = [Month(2025, 1), Month(2025, 2), Month(2025, 3)]
INVOICE = Invoice(
    number="UKU-1007",
    on=date(2025, 1, 15),
    due=date(2025, 1, 29),
    currency="EUR",
    reference="uku-7",
    customer=InvoiceCustomer(name="Näidis OÜ", vendor_id="7c1e0000-0000-4000-8000-0000000000aa"),
    rows=(InvoiceRow("Raamatupidamine", Decimal(1), Decimal(100), product="RAAMATUP", tax_code="24%"),),
)
EXPORTED = [{"id": "0f9d2c11-0000-4000-8000-000000000001", "number": "UKU-1007", "date": "2025-01-15"}]

# What the vendor's own header readings mean, at NOW.
LIMITED = [
    ({"Retry-After": "17"}, datetime(2026, 1, 15, 10, 30, 17, tzinfo=UTC)),
    ({"X-RateLimit-Limit": "60", "X-RateLimit-Reset": "1768473060"}, datetime(2026, 1, 15, 10, 31, tzinfo=UTC)),
    ({}, None),
    ({"Retry-After": "soon"}, None),
]

# Answers of the vendor's own, and what they mean: (status, body, error, the field it names).
OWN_ERRORS = [
    (401, b"", NeedsReauth, "api_id"),
    (401, b"api-missingurlparam", NeedsReauth, "api_id"),
    (401, b'"api-invalidSignature"\n', NeedsReauth, "api_key"),
    (401, b"api-wrongsignature", NeedsReauth, "api_key"),
    (400, b"", NeedsReauth, "api_id"),
    (404, b"api-missingurlparam", NeedsReauth, "api_id"),
    (401, b"api-wronglicense", NotPermitted, None),
    (400, b'{"Message":"Periood liiga pikk(max 3 kuud)"}', Refused, None),
    (200, b"System.NullReferenceException: Object reference not set\r\n   at Merit.Api.Get()", Temporary, None),
    (200, b'{"Message":"Viga","ErrorCode":"FormatException"}', Refused, None),
    (200, b'"api-wronglicense"', NotPermitted, None),
    (500, b'{"Message":"Input string","ErrorCode":"FormatException"}', Temporary, None),
]


def fixture(name: str):
    return json.loads((FIXTURES / f"{name}.json").read_text(), parse_float=Decimal)


def reply(call):
    """What the made-up books answer; lists keep to the period asked for."""
    name = call.path.rsplit("/", 1)[-1].lower()
    asked = json.loads(call.body)
    if name == "getglbatches":
        rows = [{k: v for k, v in batch.items() if k != "Entries"} for batch in fixture("getglbatchesfull")]
    else:
        rows = fixture(name)
    if "PeriodStart" not in asked:
        return rows
    return [row for row in rows if asked["PeriodStart"] <= _dated(row) <= asked["PeriodEnd"]]


def _dated(row) -> str:
    return (row.get("BatchDate") or row["DocumentDate"])[:10].replace("-", "")
