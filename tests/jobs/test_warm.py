"""What a worker loads before it forks."""

import sys

from jobs import warm
from uku_web.services import import_days
from uku_web.vendors import http, registry


def test_a_job_finds_calendars_connectors_and_certificates_loaded():
    warm.up()
    assert "holidays.countries" in sys.modules
    assert import_days._holidays.cache_info().currsize
    assert http.tls.cache_info().currsize == 1
    assert registry.connector_class.cache_info().currsize >= len(registry.kinds())
