"""The control call that lets a test or a person pay an invoice in the books."""

from datetime import date

from flask import Response

from . import merit_shapes as shapes
from .books import Books
from .clock import Clock
from .documents import Invoice, money
from .merit_fields import Refused, dumps, invalid, number, read_body, text


def pay(books: Books, raw: bytes, clock: Clock) -> Response:
    """`{api_id, invoice_no or invoice_id, amount?, date? (yyyy-mm-dd), method?}`; without an amount, what is open."""
    try:
        fields = read_body(raw)
        invoice = _wanted(books, fields)
        with books.lock:
            amount = money(number(fields, "amount", invoice.gross - books.paid_amount(invoice)))
            paid = books.pay(invoice, amount, _day(fields, clock), text(fields, "method"))
        answer = shapes.payment(paid, with_details=True) | {"Open": invoice.gross - books.paid_amount(invoice)}
        return Response(dumps(answer), 201, mimetype="application/json")
    except Refused as refusal:
        return refusal.response


def _wanted(books: Books, fields: dict) -> Invoice:
    number_wanted, id_wanted = text(fields, "invoice_no"), text(fields, "invoice_id")
    found = books.sale_by_number(number_wanted) if number_wanted else books.invoice(id_wanted)
    if found is None:
        raise invalid("No such invoice.")
    return found


def _day(fields: dict, clock: Clock) -> date:
    value = text(fields, "date")
    try:
        return date.fromisoformat(value) if value else clock.today()
    except ValueError as error:
        raise invalid("The date is yyyy-mm-dd.") from error
