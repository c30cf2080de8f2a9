"""When a month's counts are imported, and which months a reload covers. Pure, but for the holiday calendar."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from uku_web.models import Company, ImportWhen, Integration
from uku_web.vendors.records import Month, last_months

EVENING, MORNING = time(22), time(5)  # last-day imports; imports on a day of the following month
SPREAD = 3600  # seconds over which the imports of one moment are spread
RELOAD_MONTHS = 12


def import_day(month: Month, when: str, day: int, country: str) -> date:
    """The day on which this month's counts are imported."""
    if when == ImportWhen.FOLLOWING_DAY:
        return month.shift(1).first.replace(day=day)
    if when == ImportWhen.LAST_DAY:
        return month.last
    last = month.last
    while not is_work_day(last, country):
        last -= timedelta(days=1)
    return last


def import_moment(month: Month, integration: Integration, company: Company, spread_by: str) -> datetime:
    """The same to the second, aware: in the company's evening or morning, spread over an hour by a stable key."""
    day = import_day(month, integration.import_when, integration.import_day, company.country)
    at = MORNING if integration.import_when == ImportWhen.FOLLOWING_DAY else EVENING
    local = datetime.combine(day, at, ZoneInfo(company.timezone))
    seconds = int.from_bytes(hashlib.sha256(spread_by.encode()).digest()[:4]) % SPREAD
    return local.astimezone(UTC) + timedelta(seconds=seconds)


def is_work_day(day: date, country: str) -> bool:
    calendar = _holidays(country, day.year)
    return calendar.is_working_day(day) if calendar is not None else day.weekday() < 5


@lru_cache(maxsize=256)
def _holidays(country: str, year: int) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country, years=year)
    except NotImplementedError:  # a country the calendar does not know has week-ends only
        return None


def reload_window(company: Company, integration: Integration, moment: datetime) -> list[Month]:
    """The 12 calendar months before the current one, oldest first; on and after the current month's own import day
    the window has moved on by one."""
    today = moment.astimezone(ZoneInfo(company.timezone)).date()
    current = Month.of(today)
    own_day = import_day(current, integration.import_when, integration.import_day, company.country)
    return last_months(RELOAD_MONTHS, current.shift(1) if today >= own_day else current)


def next_import(company: Company, integration: Integration, moment: datetime) -> date:
    """The next import day, today included."""
    today = moment.astimezone(ZoneInfo(company.timezone)).date()
    month = Month.of(today).shift(-1)
    while True:
        day = import_day(month, integration.import_when, integration.import_day, company.country)
        if day >= today:
            return day
        month = month.shift(1)
