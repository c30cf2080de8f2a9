"""What is counted, month by month, and in how many requests."""

import json
from calendar import monthrange
from collections import Counter
from decimal import Decimal

import pytest

from uku_web.vendors.merit.spec import SPEC
from uku_web.vendors.merit.statistics import FOREIGN, STRAY
from uku_web.vendors.records import Month, Target, last_months

ALL = [field.key for field in SPEC.statistics]
GL, LISTS = ["documents", "entries", "vat_entries"], ["sales_invoices", "purchase_invoices", "income", "expenses"]


def counted(connector, fields, months):
    return {
        (str(count.month), count.field): (count.value, count.why)
        for count in connector.statistics([Target("one")], fields, months)
    }


def test_every_field_of_three_months(merit, sample):
    numbers = counted(merit(), ALL, sample.MONTHS)
    expected = {
        "2025-01": ["2", "5", "3", "2", "2", "100.1", "50.33"],
        "2025-02": ["1", "1", "0", "1", "0", "-20.3", "0"],
        "2025-03": ["2", "2", "1", "2", "1", None, "1234567.89"],
    }
    for month, values in expected.items():
        for key, value in zip(ALL, values, strict=True):
            why = "" if value is not None else FOREIGN
            assert numbers[month, key] == (None if value is None else Decimal(value), why), (month, key)
    assert len(numbers) == 21


def test_zero_is_a_number(merit):
    numbers = counted(merit(lambda _: []), ALL, [Month(2025, 5)])
    assert set(numbers.values()) == {(Decimal(0), "")}


def test_all_targets_get_the_same_books_from_one_walk(merit, sample):
    connector = merit()
    counts = list(connector.statistics(sample.TARGETS, GL, sample.MONTHS))
    one, two = ([(c.month, c.field, c.value) for c in counts if c.target == key] for key in ("one", "two"))
    assert one == two
    assert len(one) == 9
    assert len(connector.door.sent) == 3


@pytest.mark.parametrize(
    ("fields", "per_month", "per_window"),
    [
        (["documents"], 0, 1),
        (["entries"], 1, 0),
        (["vat_entries"], 1, 0),
        (GL, 1, 0),
        (["sales_invoices"], 0, 1),
        (["income"], 0, 1),
        (["sales_invoices", "income"], 0, 1),
        (["purchase_invoices", "expenses"], 0, 1),
        (LISTS, 0, 2),
        (["documents", "sales_invoices"], 0, 2),
        (["documents", *LISTS], 0, 3),
        (["entries", "expenses"], 1, 1),
        (ALL, 1, 2),
    ],
)
@pytest.mark.parametrize(("months", "windows"), [(1, 1), (3, 1), (4, 2), (12, 4), (13, 5)])
def test_the_number_of_requests(merit, fields, per_month, per_window, months, windows):
    connector, wanted = merit(lambda _: []), last_months(months, Month(2026, 1))
    expected = per_month * months + per_window * windows
    forecast = connector.forecast([Target("one"), Target("two")], fields, wanted)
    assert (forecast.requests, forecast.exact) == (expected, True)
    assert len(counted(connector, fields, wanted)) == months * len(fields)
    assert len(connector.door.sent) == expected


def test_nothing_asked_is_nothing_sent(merit, sample):
    connector = merit()
    assert list(connector.statistics([], ALL, sample.MONTHS)) == []
    assert list(connector.statistics([Target("one")], [], sample.MONTHS)) == []
    assert list(connector.statistics([Target("one")], ALL, [])) == []
    assert connector.door.sent == []
    assert connector.forecast([], ALL, sample.MONTHS).requests == 0


def test_an_unknown_field_is_told(merit, sample):
    with pytest.raises(LookupError):
        list(merit().statistics([Target("one")], ["vat_returns"], sample.MONTHS))


def test_windows_are_whole_months_that_meet_without_overlap(merit):
    connector = merit(lambda _: [])
    counted(connector, ALL, last_months(13, Month(2024, 4)))  # over the end of a leap year's February
    for path, longest in (("/v1/GetGLBatchesFull", 1), ("/v1/getinvoices", 3), ("/v1/getpurchorders", 3)):
        asked = [json.loads(call.body) for call in connector.door.sent if call.path == path]
        covered = Counter(month for body in asked for month in _whole_months(body, longest))
        assert set(covered.values()) == {1}
        assert len(covered) == 13
    february = [b for b in connector.door.sent if b'"PeriodStart":"20240201"' in b.body and "Full" in b.path]
    assert json.loads(february[0].body)["PeriodEnd"] == "20240229"


def _whole_months(body, longest):
    first, last = (Month(int(text[:4]), int(text[4:6])) for text in (body["PeriodStart"], body["PeriodEnd"]))
    assert body["PeriodStart"].endswith("01")
    assert int(body["PeriodEnd"][6:]) == monthrange(last.year, last.month)[1]
    months = [month for n in range(12) if (month := first.shift(n)) <= last]
    assert len(months) <= longest
    return months


def test_months_with_holes_share_a_window_and_only_they_are_told(merit):
    connector = merit()
    wanted = [Month(2025, 3), Month(2025, 1), Month(2024, 6)]
    numbers = counted(connector, ["documents"], wanted)
    assert numbers == {
        ("2024-06", "documents"): (Decimal(0), ""),
        ("2025-01", "documents"): (Decimal(2), ""),
        ("2025-03", "documents"): (Decimal(2), ""),
    }
    assert len(connector.door.sent) == 2


def test_what_is_asked_of_each_list(merit):
    connector = merit(lambda _: [])
    counted(connector, ALL, [Month(2025, 1)])
    counted(connector, ["documents"], [Month(2025, 1)])
    period = {"PeriodStart": "20250101", "PeriodEnd": "20250131"}
    assert [(call.path, json.loads(call.body)) for call in connector.door.sent] == [
        ("/v1/GetGLBatchesFull", {**period, "DateType": 0, "WithLines": 1, "WithCostAlloc": 0}),
        ("/v1/getinvoices", {**period, "UnPaid": False}),
        ("/v1/getpurchorders", {**period, "UnPaid": False}),
        ("/v1/getglbatches", {**period, "DateType": 0}),
    ]


def test_months_come_as_they_are_done_and_requests_go_together(merit):
    connector = merit(lambda _: [])
    counts = connector.statistics([Target("one")], GL, last_months(12, Month(2026, 1)))
    assert next(counts).month == Month(2025, 1)
    assert connector.door.batches == [6]
    assert [count.month for count in counts] == sorted(month for month in last_months(12, Month(2026, 1)) * 3)[1:]
    assert connector.door.batches == [6, 6]


def test_documents_outside_the_period_make_it_unknown_and_leave_the_rest(merit, sample):
    def stray(call):
        return sample.fixture("getinvoices") if call.path.endswith("getinvoices") else sample.reply(call)

    numbers = counted(merit(stray), ["documents", "entries", "sales_invoices", "income"], [Month(2025, 1)])
    assert numbers["2025-01", "sales_invoices"] == numbers["2025-01", "income"] == (None, STRAY)
    assert numbers["2025-01", "documents"] == (Decimal(2), "")


def test_a_document_without_a_date_makes_its_window_unknown(merit, sample):
    rows = [{**row, "BatchDate": "1901-01-01T00:00:00"} for row in sample.fixture("getglbatchesfull")[:1]]
    assert counted(merit(lambda _: rows), ["entries"], [Month(2025, 1)]) == {("2025-01", "entries"): (None, STRAY)}


def test_amounts_are_exact(merit, sample):
    rows = [{**sample.fixture("getinvoices")[1], "TotalAmount": Decimal("0.10")} for _ in range(1000)]
    numbers = counted(merit(lambda _: rows), ["income"], [Month(2025, 1)])
    assert numbers["2025-01", "income"] == (Decimal("100.00"), "")
