"""The vendors there are. A vendor is its folder and one line here; classes are imported when first used."""

from functools import cache
from importlib import import_module

from uku_web.vendors.spec import VendorSpec

VENDORS: dict[str, str] = {
    "merit": "uku_web.vendors.merit",
    "smartaccounts": "uku_web.vendors.smartaccounts",
}


class UnknownVendor(LookupError):
    """No vendor of this kind is registered."""


@cache
def spec_of(kind: str) -> VendorSpec:
    if kind not in VENDORS:
        raise UnknownVendor(kind)
    return import_module(f"{VENDORS[kind]}.spec").SPEC


@cache
def connector_class(kind: str) -> type:
    if kind not in VENDORS:
        raise UnknownVendor(kind)
    return import_module(f"{VENDORS[kind]}.connector").Connector


def kinds() -> list[str]:
    return list(VENDORS)


def all_specs() -> list[VendorSpec]:
    """Every vendor's declaration, by label, as the cards stand on the page."""
    return sorted((spec_of(kind) for kind in VENDORS), key=lambda spec: spec.label.lower())
