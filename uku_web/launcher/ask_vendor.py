"""`uku vendor`: asks a vendor with its connector, without database, and prints one JSON object per line."""

import dataclasses
import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from uku_web import clock
from uku_web.config import Config, ConfigError
from uku_web.vendors import errors, registry
from uku_web.vendors.access import Setup, open_connector
from uku_web.vendors.base import BaseConnector
from uku_web.vendors.capabilities import CAPABILITIES, capabilities_of
from uku_web.vendors.records import Invoice, InvoiceCustomer, InvoiceRow, Month, Target, last_months
from uku_web.vendors.spec import VendorSpec

DONE, FAILED, WRONG = 0, 1, 2
# The classes by which trouble is told; a vendor's own subclasses go by theirs.
CLASSES = (
    errors.NeedsReauth,
    errors.NotPermitted,
    errors.BadSettings,
    errors.Temporary,
    errors.RateLimited,
    errors.Refused,
    errors.Uncertain,
)


def ask(options: Namespace, config: Config) -> int:
    """Exit code: 0, 1 for a failure at the vendor, 2 for what cannot be asked. Raises ConfigError."""
    if options.kind not in registry.VENDORS:
        raise ConfigError(f"There is no vendor {options.kind!r}. There are: {', '.join(registry.kinds())}.")
    spec = registry.spec_of(options.kind)
    if options.what not in ASKING or options.what not in capabilities_of(registry.connector_class(options.kind)):
        has = sorted(set(ASKING) & capabilities_of(registry.connector_class(options.kind)))
        raise ConfigError(f"{spec.label} has no {options.what!r} here. It has: {', '.join(has)}.")
    calls: list = []
    # Budgets are counted in this process alone.
    setup = Setup(environ=config.environ, now=clock.now, allow_private=config.allow_private_hosts)
    try:
        for record in ASKING[options.what](_connector(options, setup, calls.append), options):
            print(json.dumps(plain(record), ensure_ascii=False), flush=True)
    except errors.VendorError as error:
        name = next((known.__name__ for known in CLASSES if isinstance(error, known)), type(error).__name__)
        print(json.dumps({"error": name, "sentence": error.sentence}, ensure_ascii=False), flush=True)
        return FAILED
    except BrokenPipeError:  # whoever read the lines has enough of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        setup.close()
        print(json.dumps({"requests": len(calls)}), file=sys.stderr)
    return DONE


def _connector(options: Namespace, setup: Setup, log: Callable) -> BaseConnector:
    values = {name: str(value) for name, value in _object(options.credentials).items() if value is not None}
    _check(registry.spec_of(options.kind), values)

    def renew() -> Mapping[str, str]:
        fresh = connector.renew(clock.now()).credentials
        return {**values, **fresh}

    connector = open_connector(
        options.kind,
        values,
        setup=setup,
        account_id=values.get("account_id"),
        log=log,
        renew=renew if "renew" in capabilities_of(registry.connector_class(options.kind)) else None,
    )
    return connector


def _check(spec: VendorSpec, values: Mapping[str, str]) -> None:
    missing = [field.name for field in spec.credentials if field.required and not values.get(field.name)]
    if missing:
        raise errors.BadSettings(f"The credentials file lacks {' and '.join(missing)}.", field=missing[0])
    try:
        spec.variant_of(values)
    except LookupError as error:
        raise errors.BadSettings(f"{error.args[0]}.", field=spec.variant_field) from error


def _object(path: Path | None) -> dict[str, Any]:
    found = _json(path)
    if not isinstance(found, dict):
        raise ConfigError(f"{path} does not hold a JSON object.")
    return found


def _json(path: Path | None) -> Any:
    if path is None:
        raise ConfigError("This needs --invoice FILE.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigError(f"{path} does not hold JSON.") from error


def _test(connector, _options: Namespace) -> Iterator[Any]:
    tested = connector.test()
    yield {**plain(tested.account), "expires_on": tested.expires_on, "notes": tested.notes}


def _customers(connector, options: Namespace) -> Iterable[Any]:
    return connector.customers(datetime.combine(options.since, time(), UTC) if options.since else None)


def _statistics(connector, options: Namespace) -> Iterator[Any]:
    fields = [stat.key for stat in connector.spec.countable(whole_books=options.customer is None)]
    if not fields:
        raise ConfigError(f"{connector.spec.label} counts only {'whole books' if options.customer else 'customers'}.")
    target = Target(options.customer or "books", options.customer)
    for count in connector.statistics([target], fields, _months(options.since, options.until)):
        line = {"month": count.month, "field": count.field, "value": count.value}
        yield line | ({"unknown": count.why} if count.value is None else {})


def _months(since: date | None, until: date | None) -> list[Month]:
    """Whole months; without dates the twelve before the current one."""
    current = Month.of(clock.now().date())
    if since is None and until is None:
        return last_months(12, current)
    last = Month.of(until) if until else current.shift(-1)
    month, months = Month.of(since) if since else last.shift(-11), []
    while month <= last:
        months.append(month)
        month = month.shift(1)
    if not months:
        raise ConfigError("--since lies after --until.")
    return months


def _payments(connector, options: Namespace) -> Iterable[Any]:
    """Of the invoices whose references stand in the file, as `send-invoice` printed them."""
    found = _json(options.invoice) if options.invoice else []
    references = [each.get("refs", each) for each in (found if isinstance(found, list) else [found])]
    return connector.payments(references, options.since)


def _ledger(connector, options: Namespace) -> Iterable[Any]:
    if not options.customer:
        raise ConfigError("The ledger is one customer's: name it by --customer ID.")
    return connector.ledger(options.customer, options.since)


def _send_invoice(connector, options: Namespace) -> Iterator[Any]:
    invoice = read_invoice(_object(options.invoice))
    yield from connector.send_invoice(invoice, {}, key=invoice.reference)


ASKING: dict[str, Callable[[Any, Namespace], Iterable[Any]]] = {
    "test": _test,
    "customers": _customers,
    "products": lambda connector, _options: connector.products(),
    "tax-rates": lambda connector, _options: connector.tax_rates(),
    "currencies": lambda connector, _options: connector.currencies(),
    "statistics": _statistics,
    "payments": _payments,
    "ledger": _ledger,
    "send-invoice": _send_invoice,
}
assert set(ASKING) <= set(CAPABILITIES)


def read_invoice(given: Mapping[str, Any]) -> Invoice:
    """From an invoice file; its amounts are strings. Raises ConfigError."""
    try:
        rows = tuple(_row(row) for row in given["rows"])
        customer = InvoiceCustomer(**given["customer"])
        return Invoice(
            number=given["number"],
            on=date.fromisoformat(given["date"]),
            due=date.fromisoformat(given["due_date"]),
            currency=given["currency"],
            reference=given["reference"],
            customer=customer,
            rows=rows,
        )
    except KeyError as error:
        raise ConfigError(f"The invoice file lacks {error.args[0]}.") from error
    except (TypeError, ValueError, InvalidOperation) as error:
        raise ConfigError(f"The invoice file is not right: {error}.") from error


def _row(given: Mapping[str, Any]) -> InvoiceRow:
    percent = given.get("tax_percent")
    return InvoiceRow(
        description=given["description"],
        quantity=_amount(given["quantity"]),
        price=_amount(given["price"]),
        unit=given.get("unit"),
        product=given.get("product"),
        tax_code=given.get("tax_code"),
        tax_percent=None if percent is None else _amount(percent),
    )


def _amount(text: Any) -> Decimal:
    if not isinstance(text, str):
        raise TypeError(f"amounts are strings, {text!r} is none")
    return Decimal(text)


def plain(value: Any) -> Any:
    """As JSON can hold it: exact numbers as strings, days and times as ISO writes them."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Month):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value
