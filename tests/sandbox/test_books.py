from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from uku_web.sandbox.books import Books
from uku_web.sandbox.clock import Clock, StoppedClock, from_environment
from uku_web.sandbox.generate import reference_number
from uku_web.sandbox.shelf import Shelf

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)


def books(size="medium", at=NOW, country="ee", key="1/test"):
    return Books(country, key, size, StoppedClock(at))


def entries(found, start, end):
    return sum(len(batch.entries) for batch in found.batches(start, end))


def test_the_same_seed_gives_the_same_books_and_another_others():
    january = (date(2026, 1, 1), date(2026, 1, 31))
    assert books().batches(*january) == books().batches(*january)
    assert books().batches(*january) != books(key="2/test").batches(*january)


def test_a_later_today_adds_documents_and_changes_none():
    month = (date(2026, 3, 1), date(2026, 3, 31))
    now, later = books(), books(at=NOW + timedelta(days=20))
    before, after = ({i.id: (i.number, i.gross, i.date) for i in b.sales(*month)} for b in (now, later))
    assert before.items() < after.items()


def test_three_years_are_reached_from_a_moved_present():
    found = books(at=datetime(2031, 6, 15, tzinfo=UTC))
    assert found.sales(date(2028, 6, 1), date(2028, 6, 30)) and found.sales(date(2031, 6, 1), date(2031, 6, 15))
    assert not found.sales(date(2028, 5, 1), date(2028, 5, 31))


def test_rates_of_tax_follow_the_date():
    found = books("large")
    used = {
        year: {row.tax.code for i in found.sales(date(year, 1, 1), date(year, 1, 31)) for row in i.rows}
        for year in (2024, 2025, 2026)
    }
    assert "22%" in used[2024] and "13%" not in used[2024]
    assert "22%" in used[2025] and "24%" in used[2026] and "22%" not in used[2026]


def test_sizes():
    year = [(date(2025, m, 1), date(2025, m, 28)) for m in range(1, 13)]
    assert all(entries(books("empty"), *month) == 0 for month in year)
    with_gaps = [bool(books("gaps").sales(*month)) for month in year]
    assert any(with_gaps) and not all(with_gaps)
    assert all(len(books("tiny").sales(*month)) < 8 for month in year)
    assert not books("young").sales(date(2025, 4, 1), date(2025, 4, 30))
    assert books("young").sales(date(2025, 8, 1), date(2025, 8, 31))


def test_seasons_differ():
    counts = [len(books("large").sales(date(2025, m, 1), date(2025, m, 28))) for m in range(1, 13)]
    assert max(counts) > 1.3 * min(counts)


def test_the_largest_company_has_thousands_of_entries_a_month():
    assert entries(books("huge"), date(2026, 1, 1), date(2026, 1, 31)) > 5000


def test_credit_notes_other_currencies_and_part_payments_occur():
    found = books("large").sales(date(2025, 1, 1), date(2025, 3, 31))
    assert any(i.gross < 0 for i in found)
    assert any(i.currency != "EUR" for i in found)
    assert any(len(i.planned) == 2 for i in found) and any(not i.planned for i in found)


def test_a_document_is_found_by_id_and_number():
    found = books()
    one = found.sales(date(2025, 7, 1), date(2025, 7, 31))[-1]
    assert found.invoice(one.id) is one and found.sale_by_number(one.number) is one
    for nonsense in ("", "25130001", "2507", "99999999", "²5070001"):
        assert found.sale_by_number(nonsense) is None
    assert found.invoice("25070001") is None


def test_money_is_exact():
    for invoice in books().sales(date(2026, 1, 1), date(2026, 1, 31)):
        assert isinstance(invoice.gross, Decimal) and invoice.gross.as_tuple().exponent == -2


@pytest.mark.parametrize(("number", "reference"), [("UKU-1007", "10074"), ("1", "13"), ("", ""), ("abc", "")])
def test_reference_number(number, reference):
    assert reference_number(number) == reference


def test_a_moved_clock_keeps_the_time_of_day_and_runs():
    real = datetime.now(UTC)
    moved = Clock(date(2030, 5, 17)).now()
    assert abs(moved - real - (date(2030, 5, 17) - real.date())) < timedelta(seconds=5)


def test_the_environment_moves_the_clock():
    assert from_environment({"UKU_TODAY": "2030-05-17"}).now().year == 2030
    assert abs(from_environment({}).now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_what_was_written_can_outlive_the_process(tmp_path):
    def opened():
        return Books("ee", "1/test", "small", StoppedClock(NOW), Shelf(tmp_path))

    first = opened()
    invoice = first.sales(date(2026, 1, 1), date(2026, 1, 31))[0]
    first.pay(invoice, Decimal("1.00"), NOW.date())
    assert opened().paid_amount(invoice) == first.paid_amount(invoice) != books("small").paid_amount(invoice)
    Shelf(tmp_path).drop()
    assert opened().paid_amount(invoice) == books("small").paid_amount(invoice)
    for file in tmp_path.iterdir():
        file.write_bytes(b"not a book")
    assert opened().sales(date(2026, 1, 1), date(2026, 1, 31))
