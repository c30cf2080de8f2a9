"""Sending a sales invoice and finding it again.

https://api.merit.ee/connecting-robots/reference-manual/sales-invoices/create-sales-invoice/
https://api.merit.ee/connecting-robots/reference-manual/sales-invoices/create-credit-invoice
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.errors import Refused, Uncertain
from uku_web.vendors.merit.reading import money, period, post, record, rows, same_id, text
from uku_web.vendors.records import Found, Invoice, InvoiceCustomer, InvoiceRow, Step, TaxRate

MOST_ROWS = 200
LONGEST_NUMBER, LONGEST_CODE, LONGEST_DESCRIPTION = 35, 20, 150
SERVICE = 2  # item types: 1 stock, 2 service, 3 item. Firms sell work; Merit asks for it when it makes an item
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """One row as Merit wants it, with its net amount and rate."""

    body: Mapping[str, Any]
    net: Decimal
    rate: TaxRate


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def create_call(invoice: Invoice, rates: Sequence[TaxRate], home: str, item_code: str = "") -> Call:
    """The create. Never repeated by itself: an answer that got lost may have been a yes."""
    return post("sendinvoice", repeat=False, timeout=60.0, **_body(invoice, rates, home, item_code))


def _body(invoice: Invoice, rates: Sequence[TaxRate], home: str, item_code: str) -> dict[str, Any]:
    _check_size(invoice)
    sign = _sign(invoice)
    lines = [_line(number, row, sign, rates, item_code) for number, row in enumerate(invoice.rows, start=1)]
    return {
        "Customer": _customer(invoice.customer, home),
        "DocDate": _stamp(invoice.on),
        "DueDate": _stamp(invoice.due),
        "TransactionDate": _stamp(invoice.on),
        "InvoiceNo": invoice.number,
        "CurrencyCode": invoice.currency,
        "InvoiceRow": [line.body for line in lines],
        "TotalAmount": sum((line.net for line in lines), Decimal(0)),
        "TaxAmount": _taxes(lines, is_credit=_is_credit(invoice)),
    }


def _check_size(invoice: Invoice) -> None:
    if len(invoice.rows) > MOST_ROWS:
        raise Refused(f"Merit Aktiva takes at most {MOST_ROWS} rows on an invoice.", record=invoice.number)
    if len(invoice.number) > LONGEST_NUMBER:
        raise Refused(f"Merit Aktiva takes invoice numbers of at most {LONGEST_NUMBER} letters.", record=invoice.number)


def _stamp(day: date) -> str:
    return f"{day:%Y%m%d}000000"


def _given_total(invoice: Invoice) -> Decimal:
    return sum((_net(row, 1) for row in invoice.rows), Decimal(0))


def _is_credit(invoice: Invoice) -> bool:
    return invoice.credit_of is not None or _given_total(invoice) < 0


def _sign(invoice: Invoice) -> int:
    """A credit note goes with negative quantities, whether its rows come so or as on the invoice it credits."""
    return -1 if _is_credit(invoice) and _given_total(invoice) > 0 else 1


def _net(row: InvoiceRow, sign: int) -> Decimal:
    """Rows are rounded one by one, after the discount is taken off."""
    return sign * cents(row.quantity * row.price - _discount(row))


def _discount(row: InvoiceRow) -> Decimal:
    return row.quantity * row.price * (row.discount_percent or Decimal(0)) / 100


def _line(number: int, row: InvoiceRow, sign: int, rates: Sequence[TaxRate], item_code: str) -> Line:
    rate = _rate(number, row, rates)
    body: dict[str, Any] = {
        "Item": _item(number, row, item_code),
        "Quantity": sign * row.quantity,
        "Price": row.price,
        "TaxId": rate.id,
    }
    if row.discount_percent:
        body |= {"DiscountPct": row.discount_percent, "DiscountAmount": sign * _discount(row)}
    return Line(body, _net(row, sign), rate)


def _item(number: int, row: InvoiceRow, item_code: str) -> dict[str, Any]:
    code = row.product or item_code
    if not code or len(code) > LONGEST_CODE:
        raise Refused(f"Row {number} has no item of Merit Aktiva. Choose an article that is linked to one.")
    item = {"Code": code, "Description": row.description[:LONGEST_DESCRIPTION], "Type": SERVICE}
    return {**item, "UOMName": row.unit} if row.unit else item


def _rate(number: int, row: InvoiceRow, rates: Sequence[TaxRate]) -> TaxRate:
    """The rate by Merit's id or code; without one, the only rate of this percent. A wrong id would answer a 500 that
    leaves open what was done."""
    if row.tax_code:
        fitting = [rate for rate in rates if any(same_id(row.tax_code, key) for key in (rate.id, rate.code))]
    else:
        fitting = [rate for rate in rates if row.tax_percent is not None and rate.percent == row.tax_percent]
    if len(fitting) != 1 or fitting[0].percent is None:
        raise Refused(f"Row {number} has no tax rate that Merit Aktiva knows. Choose one imported from there.")
    if row.tax_percent is not None and row.tax_percent != fitting[0].percent:
        raise Refused(
            f"Row {number} is taxed with {row.tax_percent} %, but {fitting[0].name} is {fitting[0].percent} % at "
            "Merit Aktiva. Choose the rate again."
        )
    return fitting[0]


def _taxes(lines: Sequence[Line], *, is_credit: bool) -> list[dict[str, Any]]:
    """One amount for each rate. On a credit note they stand with the other sign, which makes them positive."""
    nets: dict[str, Decimal] = {}
    for line in lines:
        nets[line.rate.id] = nets.get(line.rate.id, Decimal(0)) + line.net
    percents = {line.rate.id: line.rate.percent or Decimal(0) for line in lines}
    sign = -1 if is_credit else 1
    return [
        {"TaxId": tax, "Amount": sign * cents(net * percents[tax] / 100) or Decimal(0)} for tax, net in nets.items()
    ]


def _customer(customer: InvoiceCustomer, home: str) -> dict[str, Any]:
    """A known one by its id; else Merit takes the one of that name, or makes it."""
    if customer.vendor_id:
        return {"Id": customer.vendor_id}
    # A client without a country is taken for a domestic one.
    country = (customer.country or home).upper()
    address = customer.address
    fields = {
        "Name": customer.name,
        "CountryCode": country,
        "NotTDCustomer": "true" if _is_private(customer, country, home) else "false",
        "RegNo": customer.register_number,
        "VatRegNo": customer.vat_number,
        "Email": customer.email,
        "Address": address and address.street,
        "City": address and address.city,
        "County": address and address.region,
        "PostalCode": address and address.postal_code,
    }
    return {name: value for name, value in fields.items() if value}


def _is_private(customer: InvoiceCustomer, country: str, home: str) -> bool:
    """Merit's "not a taxable customer": private people, in Estonia also foreign companies, in Poland not. Finland's
    manual repeats Estonia's and Poland's words; that it goes with Estonia is assumed."""
    if not customer.register_number and not customer.vat_number:
        return True
    return home.upper() != "PL" and country != home.upper()


def created(answer: Answer, invoice: Invoice) -> Step:
    """The answer tells no totals."""
    row = record(answer)
    if not text(row, "InvoiceId"):
        raise Uncertain(
            "Merit Aktiva did not say whether it took the invoice. We will ask it.", detail=answer.text[:300]
        )
    return Step("invoice", references(row, "InvoiceId", invoice.on), last=True)


def references(row: Mapping[str, Any], id_key: str, on: date) -> dict[str, str]:
    """What is kept of an exported invoice; the date is needed to ask for its payment."""
    kept = {"id": text(row, id_key), "number": text(row, "InvoiceNo"), "date": on.isoformat()}
    others = {
        "customer_id": text(row, "CustomerId"),
        "reference_number": text(row, "RefNo") or text(row, "ReferenceNo"),
    }
    return {**kept, **{name: value for name, value in others.items() if value}}


def find_call(invoice: Invoice) -> Call:
    return post("getinvoices", UnPaid=False, **period(invoice.on, invoice.on))


def found(answer: Answer, invoice: Invoice) -> list[Found]:
    """v1 cannot be asked for a number, so the day's invoices are looked through. A person may have used the number
    for another customer: customer and gross total are given to compare."""
    return [
        Found(
            refs=references(row, "SIHId", invoice.on),
            number=text(row, "InvoiceNo"),
            customer_id=text(row, "CustomerId") or None,
            customer_name=text(row, "CustomerName") or None,
            total=money(row, "TotalSum"),
        )
        for row in rows(answer)
        if text(row, "InvoiceNo") == invoice.number
    ]
