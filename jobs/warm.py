"""What every job needs is loaded and made once in the worker: each job is a fork of it, and would do it all again."""

from babel.dates import get_month_names
from sqlalchemy.orm import configure_mappers

from uku_web.clock import now
from uku_web.services.import_days import is_work_day
from uku_web.vendors import http, registry


def up() -> None:
    configure_mappers()
    is_work_day(now().date(), "EE")  # the calendars of all countries come with the first
    get_month_names("wide", locale="en")
    http.tls()
    for kind in registry.kinds():
        registry.connector_class(kind)
