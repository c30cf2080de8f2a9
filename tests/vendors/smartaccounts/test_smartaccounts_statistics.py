"""What is counted, month by month, in how many requests, and that pages are read to their proven end."""

from decimal import Decimal

import pytest

from uku_web.vendors.errors import Temporary
from uku_web.vendors.records import Month, Target, last_months
from uku_web.vendors.smartaccounts.spec import SPEC
from uku_web.vendors.smartaccounts.statistics import MOST_PAGES, STRAY

ALL = [field.key for field in SPEC.statistics]
SEED = ["sale_entries", "purchase_entries", "bank_entries", "documents"]
YEAR = last_months(12, Month(2026, 1))


def counted(connector, fields, months):
    return {
        (str(count.month), count.field): count.value if count.value is not None else count.why
        for count in connector.statistics([Target("one")], fields, months)
    }


def entry(number, on="15.01.2025", kind="CLIENT_INVOICE"):
    return {"id": f"e-{number}", "docType": kind, "date": on}


def paged(entries, size=100, key="entries"):
    """A vendor that cuts its list into pages, of what is in the period asked for."""

    def reply(call):
        asked = dict(call.query)
        first, last = (tuple(reversed(asked[name].split("."))) for name in ("dateFrom", "dateTo"))
        rows = [row for row in entries if first <= tuple(reversed(row["date"].split("."))) <= last]
        start = (int(asked["pageNumber"]) - 1) * size
        return {key: rows[start : start + size], "hasMoreEntries": start + size < len(rows)}

    return reply


def test_labels_are_those_that_people_know():
    labels = [field.label for field in SPEC.statistics if not field.more]
    assert labels == ["Sale entries", "Purchase entries", "Bank entries", "Documents"]


def test_every_field_of_three_months(smart, sample):
    connector = smart()
    numbers = counted(connector, ALL, sample.MONTHS)
    expected = {
        "2025-01": [1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        "2025-02": [2, 0, 0, 1, 0, 0, 1, 0, 0, 0],
        "2025-03": [0, 0, 0, 5, 0, 1, 0, 1, 1, 1],  # a kind that is new to us is a document
    }
    for month, values in expected.items():
        assert [numbers[month, key] for key in ALL] == [Decimal(value) for value in values], month
    (call,) = connector.door.sent
    assert dict(call.query) == {
        "dateFrom": "01.01.2025",
        "dateTo": "31.03.2025",
        "dateType": "date",
        "pageNumber": "1",
    }


@pytest.mark.parametrize("key", ALL)
def test_a_field_alone_counts_the_same_and_one_kind_alone_is_asked_for(smart, sample, key):
    together, connector = counted(smart(), ALL, sample.MONTHS), smart()
    assert counted(connector, [key], sample.MONTHS) == {at: n for at, n in together.items() if at[1] == key}
    assert ("docType" in dict(connector.door.sent[0].query)) == (key != "documents")


@pytest.mark.parametrize(("entries", "requests"), [(0, 1), (1, 1), (100, 1), (101, 2), (3000, 30)])
def test_a_span_takes_as_many_requests_as_it_has_pages(smart, entries, requests):
    books = [entry(number, f"{number % 28 + 1:02}.{number % 12 + 1:02}.2025") for number in range(entries)]
    connector = smart(paged(books))
    numbers = counted(connector, SEED, YEAR)
    assert sum(numbers.values()) == entries and len(numbers) == 48
    assert len(connector.door.sent) == requests
    forecast = connector.forecast([Target("one")], SEED, YEAR)
    assert (forecast.requests, forecast.exact) == (1, False)


def test_a_walk_that_grows_too_long_goes_on_month_by_month(smart):
    """Each month is kept when it is done, so that a run which has to wait for the limit comes to its end."""
    books = [entry(number, f"15.{number % 12 + 1:02}.2025") for number in range(MOST_PAGES * 100 + 12)]
    connector = smart(paged(books))
    numbers, asked = connector.statistics([Target("one")], SEED, YEAR), []
    for count in numbers:
        if count.field == "sale_entries":
            assert count.value == MOST_PAGES * 100 / 12 + 1
            asked.append(len(connector.door.sent))
    assert asked == [MOST_PAGES + 4 * month for month in range(1, 13)]


def test_months_with_holes_are_walked_apart(smart):
    months = [Month(2025, 1), Month(2025, 2), Month(2025, 6), Month(2024, 12)]
    connector = smart(paged([entry(1), entry(2, "01.04.2025"), entry(3, "30.06.2025")]))
    numbers = counted(connector, ["sale_entries"], months)
    assert [numbers[str(month), "sale_entries"] for month in months] == [1, 0, 1, 0]
    periods = [dict(call.query)["dateFrom"] + "-" + dict(call.query)["dateTo"] for call in connector.door.sent]
    assert periods == ["01.12.2024-28.02.2025", "01.06.2025-30.06.2025"]
    assert connector.forecast([Target("one")], ["sale_entries"], months).requests == 2


def test_all_targets_get_the_same_books_from_one_walk(smart, sample):
    connector = smart()
    counts = list(connector.statistics(sample.TARGETS, SEED, sample.MONTHS))
    one, two = ([(c.month, c.field, c.value) for c in counts if c.target == key] for key in ("one", "two"))
    assert one == two and len(one) == 12 and len(connector.door.sent) == 1


def test_nothing_is_asked_for_nothing(smart):
    connector = smart()
    for targets, fields, months in ([], SEED, YEAR), ([Target("one")], [], YEAR), ([Target("one")], SEED, []):
        assert list(connector.statistics(targets, fields, months)) == []
        assert connector.forecast(targets, fields, months).requests == 0
    assert connector.door.sent == []
    with pytest.raises(LookupError):
        connector.forecast([Target("one")], ["income"], YEAR)


def one_after_the_other(*pages):
    left = iter(pages)
    return lambda call: next(left)


def page(*entries, more=False):
    return {"entries": list(entries), "hasMoreEntries": more}


def test_an_entry_that_moves_to_the_next_page_counts_once(smart):
    pages = page(entry(3), entry(2), more=True), page(entry(2), entry(1))
    assert counted(smart(one_after_the_other(*pages)), ["sale_entries"], [Month(2025, 1)]) == {
        ("2025-01", "sale_entries"): 3
    }


@pytest.mark.parametrize(
    "second",
    [
        page(entry(1), entry(2), more=True),
        page(more=True),
        {"entries": [entry(3)]},
        {"entries": [entry(3)], "hasMoreEntries": "no"},
        {"entries": [entry(3), entry(3)], "hasMoreEntries": False},
        {"entries": [{"docType": "VAT_RETURN", "date": "15.01.2025"}], "hasMoreEntries": False},
        {"entries": [{"id": 3, "docType": None, "date": "15.01.2025"}], "hasMoreEntries": False},
        {"entries": [{"id": 3, "docType": "VAT_RETURN", "date": "2025"}], "hasMoreEntries": False},
        {"entries": None, "hasMoreEntries": False},
        [entry(3)],
    ],
)
def test_a_page_that_proves_nothing_stops_the_walk(smart, second):
    first = page(entry(1), entry(2), more=True)
    with pytest.raises(Temporary):
        counted(smart(one_after_the_other(first, second)), SEED, [Month(2025, 1)])


def test_the_list_is_found_under_another_name_but_not_among_the_deleted(smart):
    said = {"ledgerEntries": [entry(1)], "deleted": [{"id": "e-7"}], "hasMoreEntries": False}
    assert sum(counted(smart(lambda _: said), SEED, [Month(2025, 1)]).values()) == 1


def test_entries_outside_the_period_leave_its_numbers_unknown(smart):
    numbers = counted(smart(lambda _: page(entry(1), entry(2, "01.02.2025"))), SEED, [Month(2025, 1)])
    assert set(numbers.values()) == {STRAY}
