"""The control calls for SmartAccounts: a payment of an invoice, and closing the books up to a day."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, request

from . import smartaccounts_shapes as shapes
from .documents import Invoice, money
from .json_text import dumps
from .smartaccounts_books import SmartBooks
from .smartaccounts_fields import Refused, bad, read_object, text


def control_rules(blueprint: Blueprint, kind: str, stand_in: Any) -> None:
    @blueprint.post(f"/_control/{kind}/pay")
    def pay() -> Response:
        """`{api_key, invoice_no or invoice_id, amount?, date? (yyyy-mm-dd), method?}`; all that is open unless told."""
        return _answered(stand_in, _pay)

    @blueprint.post(f"/_control/{kind}/lock")
    def lock() -> Response:
        """`{api_key, until (yyyy-mm-dd)}`."""
        return _answered(stand_in, _lock)


def _answered(stand_in: Any, act: Any) -> Response:
    try:
        fields = read_object(request.get_data())
        company = stand_in.company(text(fields, "api_key"))
        if company is None:
            return Response(dumps({"error": "Unknown api_key."}), 404, mimetype="application/json")
        return Response(dumps(act(stand_in, company.books, fields)), 201, mimetype="application/json")
    except Refused as refused:
        return refused.response


def _pay(stand_in: Any, books: SmartBooks, fields: dict) -> dict[str, Any]:
    with books.lock:
        invoice = _wanted(books, fields)
        amount = _amount(fields, books.open_amount(invoice))
        paid = books.pay(invoice, amount, _day(fields, "date", stand_in.clock.today()), text(fields, "method"))
        return shapes.payment(paid, rows=True) | {"outstandingAmount": books.open_amount(invoice)}


def _amount(fields: dict, default: Decimal) -> Decimal:
    """A number or its text."""
    value = fields.get("amount")
    try:
        return money(Decimal(default if value is None else value))
    except (InvalidOperation, TypeError, ValueError) as error:
        raise bad("INVALID-PROPERTY", "amount is a number.") from error


def _wanted(books: SmartBooks, fields: dict) -> Invoice:
    wanted = text(fields, "invoice_no")
    found = books.sale_by_number(wanted) if wanted else books.invoice(text(fields, "invoice_id"))
    if found is None:
        raise bad("INVOICE-NOT-FOUND", "No such invoice.")
    return found


def _lock(stand_in: Any, books: SmartBooks, fields: dict) -> dict[str, str]:
    until = _day(fields, "until", None)
    stand_in.lock_until(fields["api_key"], until)
    return {"until": until.isoformat()}


def _day(fields: dict, name: str, default: date | None) -> date:
    value = text(fields, name)
    if not value and default:
        return default
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise bad("INVALID-DATE", f"{name} is yyyy-mm-dd.") from error
