"""When a month's counts are imported, and which months a reload covers."""

from datetime import date

import pytest

from tests.services.counting import moment
from uku_web.models import Company, ImportWhen, Integration
from uku_web.services.import_days import import_day, import_moment, next_import, reload_window
from uku_web.vendors.records import Month

ESTONIA = Company(name="x", country="EE", timezone="Europe/Tallinn")


def settings(when=ImportWhen.LAST_DAY, day=1) -> Integration:
    return Integration(kind="fake", import_when=when, import_day=day)


@pytest.mark.parametrize(
    ("month", "country", "expected"),
    [
        ("2026-11", "EE", date(2026, 11, 30)),  # a Monday
        ("2026-10", "EE", date(2026, 10, 30)),  # the 31st is a Saturday
        ("2026-12", "EE", date(2026, 12, 31)),
        ("2026-12", "LV", date(2026, 12, 30)),  # New Year's Eve is a holiday in Latvia
        ("2028-02", "EE", date(2028, 2, 29)),
        ("2024-03", "NO", date(2024, 3, 27)),  # Easter: Maundy Thursday to Sunday
        ("2026-10", "ZZ", date(2026, 10, 30)),  # an unknown country has week-ends only
    ],
)
def test_the_last_work_day_knows_weekends_and_public_holidays(month, country, expected):
    assert import_day(Month.parse(month), ImportWhen.LAST_WORK_DAY, 1, country) == expected


def test_a_day_of_the_following_month_crosses_the_year():
    assert import_day(Month(2026, 12), ImportWhen.FOLLOWING_DAY, 28, "EE") == date(2027, 1, 28)


def test_last_day_imports_start_in_the_evening_of_the_companys_zone_and_are_spread_over_an_hour():
    moments = [import_moment(Month(2026, 7), settings(), ESTONIA, str(key)) for key in range(50)]
    assert min(moments) >= moment("2026-07-31T19:00")  # 22:00 summer time
    assert max(moments) < moment("2026-07-31T20:00")
    assert len(set(moments)) > 40
    assert moments == [import_moment(Month(2026, 7), settings(), ESTONIA, str(key)) for key in range(50)]


def test_following_day_imports_start_at_five_also_in_winter():
    at = import_moment(Month(2026, 11), settings(ImportWhen.FOLLOWING_DAY, 10), ESTONIA, "x")
    assert moment("2026-12-10T03:00") <= at < moment("2026-12-10T04:00")


def test_a_reload_covers_the_twelve_months_before_the_current_one():
    window = reload_window(ESTONIA, settings(), moment("2026-11-21T10:00"))
    assert (window[0], window[-1], len(window)) == (Month(2025, 11), Month(2026, 10), 12)


def test_the_window_moves_on_when_the_current_months_import_day_has_come():
    window = reload_window(ESTONIA, settings(), moment("2026-11-29T22:30"))  # already the 30th in Tallinn
    assert (window[0], window[-1]) == (Month(2025, 12), Month(2026, 11))


def test_an_import_day_in_the_following_month_never_moves_the_window():
    window = reload_window(ESTONIA, settings(ImportWhen.FOLLOWING_DAY, 1), moment("2026-11-30T21:59"))
    assert window[-1] == Month(2026, 10)


def test_the_next_import_day_may_belong_to_the_month_before():
    assert next_import(ESTONIA, settings(ImportWhen.FOLLOWING_DAY, 25), moment("2026-11-21T10:00")) == date(
        2026, 11, 25
    )
    assert next_import(ESTONIA, settings(ImportWhen.FOLLOWING_DAY, 5), moment("2026-11-21T10:00")) == date(2026, 12, 5)
    assert next_import(ESTONIA, settings(), moment("2026-11-30T10:00")) == date(2026, 11, 30)
