"""A vendor for measuring: three data fields, no requests."""

from dataclasses import replace

from tests.fake_vendor.spec import SPEC as FAKE
from uku_web.vendors.spec import StatField

FIELDS = ("documents", "entries", "vat_entries")
SPEC = replace(
    FAKE,
    kind="bench",
    label="Bench Books",
    statistics=tuple(StatField(name, name.capitalize(), "Counted for the bench.", customer=True) for name in FIELDS),
)
