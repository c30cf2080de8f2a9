"""Makes the documents of one company's month. The same seed, company and month always give the same documents."""

import calendar
import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from . import names
from .countries import Country
from .documents import ZERO, Invoice, Item, Party, Payment, Row, Tax, money

# Sales invoices a month, customers.
SIZES = {
    "empty": ((0, 0), 0),
    "tiny": ((1, 4), 4),
    "small": ((5, 18), 14),
    "gaps": ((4, 20), 12),
    "young": ((6, 20), 12),
    "medium": ((25, 60), 40),
    "large": ((110, 190), 120),
    "huge": ((850, 1100), 1400),
}
MONTHS_KEPT = 36
YOUNG_MONTHS = 10
PAYS_WITHIN_MONTHS = 3
SALE, PURCHASE, PAYMENT, JOURNAL, CLOSING = range(1, 6)


@dataclass(frozen=True, order=True)
class Month:
    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    def plus(self, months: int) -> "Month":
        index = self.year * 12 + self.month - 1 + months
        return Month(index // 12, index % 12 + 1)

    @property
    def number(self) -> int:
        return self.year * 100 + self.month

    @property
    def last_day(self) -> date:
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])


def guid(rng: random.Random) -> str:
    bits = f"{rng.getrandbits(124):031x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[12:15]}-8{bits[15:18]}-{bits[18:30]}"


def dated_guid(month: Month, kind: int, sequence: int, rng: random.Random) -> str:
    """The month stands in front, so a document is found again without searching three years."""
    bits = f"{rng.getrandbits(72):018x}"
    return f"{month.number:06d}{kind:02x}-{sequence % 65536:04x}-4{bits[:3]}-8{bits[3:6]}-{bits[6:18]}"


def month_of_guid(text: str) -> Month | None:
    digits = text[:6]
    if not digits.isdigit() or not 1 <= int(digits[4:]) <= 12:
        return None
    return Month(int(digits[:4]), int(digits[4:]))


def reference_number(text: str) -> str:
    """The 7-3-1 check digit behind the digits of the invoice number."""
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    if not digits:
        return ""
    total = sum(int(d) * (7, 3, 1)[n % 3] for n, d in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


@dataclass(frozen=True)
class Maker:
    """Everything about a company that its documents are drawn from."""

    country: Country
    key: str
    size: str
    taxes: tuple[Tax, ...]
    items: tuple[Item, ...]
    customers: tuple[Party, ...]
    vendors: tuple[Party, ...]
    first_month: Month
    peak: int

    def sales(self, month: Month) -> list[Invoice]:
        rng = random.Random(f"{self.key}/{month.number}/sales")
        made = []
        for sequence, day in enumerate(self._days(month, rng, 1.0), start=1):
            number = f"{month.number % 10000:04d}{sequence:04d}"
            made.append(self._invoice(rng, month, sequence, day, True, number, self._customer(rng)))
        return made

    def purchases(self, month: Month) -> list[Invoice]:
        rng = random.Random(f"{self.key}/{month.number}/purchases")
        made = []
        for sequence, day in enumerate(self._days(month, rng, 0.6), start=1):
            number = f"{rng.choice('ABKLT')}-{rng.randint(100, 99999)}"
            made.append(self._invoice(rng, month, sequence, day, False, number, rng.choice(self.vendors)))
        return made

    def active(self, month: Month) -> bool:
        if self.size == "empty" or month < self.first_month:
            return False
        return self.size != "gaps" or random.Random(f"{self.key}/{month.number}/gap").random() > 0.35

    def _days(self, month: Month, rng: random.Random, share: float) -> list[date]:
        if not self.active(month):
            return []
        (low, high), _ = SIZES[self.size]
        season = 1 + 0.35 * math.cos(2 * math.pi * (month.month - self.peak) / 12)
        count = max(1, round(rng.randint(low, high) * season * share))
        return sorted(date(month.year, month.month, rng.randint(1, month.last_day.day)) for _ in range(count))

    def _customer(self, rng: random.Random) -> Party:
        # A few customers get most of the invoices.
        return self.customers[int(len(self.customers) * rng.random() ** 2)]

    def _invoice(self, rng, month, sequence, day, sale, number, party) -> Invoice:
        sign = -1 if rng.random() < 0.03 else 1
        rows = tuple(self._row(rng, day, sale, sign) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))))
        currency, rate = self._currency(rng)
        changed = datetime.combine(day + timedelta(days=rng.randint(0, 3)), time(9, rng.randint(0, 59)), UTC)
        invoice = Invoice(
            id=dated_guid(month, SALE if sale else PURCHASE, sequence, rng),
            sale=sale,
            number=number,
            batch_no=month.number % 10000 * 10000 + sequence,
            date=day,
            due=day + timedelta(days=rng.choice((7, 14, 14, 21, 30))),
            party=party,
            currency=currency,
            rate=rate,
            rows=rows,
            changed=changed,
            rounding=Decimal(rng.randint(-2, 2)).scaleb(-2) if rng.random() < 0.02 else ZERO,
            reference=reference_number(number),
            author=rng.choice(("Raamatupidaja", "Merit API", "Assistent")),
        )
        invoice.planned = self._payments(rng, invoice)
        return invoice

    def _row(self, rng: random.Random, day: date, sale: bool, sign: int) -> Row:
        if sale:
            item = rng.choice(self.items)
            quantity, price = Decimal(sign * rng.randint(1, 9)), item.price
            code, text, unit, use = item.code, item.name, item.unit, item.tax_use
        else:
            text, use = rng.choice(self.country.costs)
            quantity, price = Decimal(sign), Decimal(rng.randint(500, 90000)).scaleb(-2)
            code, unit = "", self.country.articles[0][1]
        account = ("goods" if use in ("reduced", "zero", "press") else "sales") if sale else "cost"
        discount_percent = Decimal(10) if sale and rng.random() < 0.06 else ZERO
        full = money(quantity * price)
        discount = money(full * discount_percent / 100)
        return Row(
            code, text, unit, quantity, price, self.tax(use, day), full - discount,
            self.country.accounts[account][0], discount_percent, discount,
        )  # fmt: skip

    def tax(self, use: str, day: date) -> Tax:
        fitting = [tax for tax in self.taxes if tax.use == use and tax.valid_on(day)]
        return fitting[0] if fitting else self.tax("standard", day)

    def _currency(self, rng: random.Random) -> tuple[str, Decimal]:
        if rng.random() > 0.03:
            return self.country.currency, Decimal("1.0000000")
        currency = rng.choice(sorted(self.country.foreign))
        drift = Decimal(rng.randint(980, 1020)).scaleb(-3)
        return currency, (self.country.foreign[currency] * drift).quantize(Decimal("0.0000001"))

    def _payments(self, rng: random.Random, invoice: Invoice) -> tuple[Payment, ...]:
        fate = rng.random()
        if fate < 0.06 or invoice.gross == 0:
            return ()
        late = timedelta(days=rng.randint(5, 28) if fate < 0.25 else rng.randint(-10, 2))
        day = max(invoice.date, invoice.due + late)
        if fate > 0.9:
            part = money(invoice.gross / 2)
            later = day + timedelta(days=rng.randint(3, 20))
            return (self._payment(rng, invoice, day, part), self._payment(rng, invoice, later, invoice.gross - part))
        if fate > 0.87:
            return (self._payment(rng, invoice, day, money(invoice.gross / 3)),)
        return (self._payment(rng, invoice, day, invoice.gross),)

    def _payment(self, rng: random.Random, invoice: Invoice, day: date, amount: Decimal) -> Payment:
        sequence = rng.getrandbits(16)
        payment_id = dated_guid(Month.of(day), PAYMENT, sequence, rng)
        in_cash = self.country.cash and payment_id[-1] == "0"
        return payment_for(invoice, payment_id, day, amount, self.country.cash if in_cash else self.country.bank)


def payment_for(invoice: Invoice, payment_id: str, day: date, amount: Decimal, method: str) -> Payment:
    return Payment(
        id=payment_id,
        number=invoice.number,
        date=day,
        amount=amount,
        direction=1 if invoice.sale else 2,
        currency=invoice.currency,
        rate=invoice.rate,
        party=invoice.party,
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        invoice_total=invoice.gross,
        method=method,
    )


def make_maker(country: Country, key: str, size: str, today: date) -> Maker:
    rng = random.Random(f"{key}/company")
    taxes = tuple(Tax(guid(rng), r.code, r.name, r.name_en, r.percent, r.use, r.since, r.until) for r in country.rates)
    months = YOUNG_MONTHS if size == "young" else MONTHS_KEPT
    _, customers = SIZES[size]
    # An empty company still has its tax rates and articles.
    return Maker(
        country=country,
        key=key,
        size=size,
        taxes=taxes,
        items=_items(country, rng),
        customers=_parties(country, rng, customers),
        vendors=_parties(country, rng, max(2, customers // 2) if customers else 0),
        first_month=Month.of(today).plus(-months),
        peak=rng.randint(1, 12),
    )


def _items(country: Country, rng: random.Random) -> tuple[Item, ...]:
    made = []
    for number, (name, unit, use) in enumerate(country.articles, start=1):
        kind = 1 if use in ("zero", "press") else 2
        price = Decimal(rng.randint(8, 240) * 50).scaleb(-2)
        made.append(Item(guid(rng), f"A{number:03d}", name, unit, kind, 3 if number % 4 == 0 else 1, price, use))
    return tuple(made)


def _parties(country: Country, rng: random.Random, count: int) -> tuple[Party, ...]:
    made = []
    for name in names.company_names(country.code, rng, count):
        code = names.register_code(country.code, rng.randint(10_000, 300_000))
        city, postal_code = rng.choice(names.CITIES[country.code])
        made.append(
            Party(
                id=guid(rng),
                name=name,
                reg_no=code,
                vat_no=names.vat_number(country.code, code),
                country=country.code.upper(),
                changed=datetime(2024, rng.randint(1, 12), rng.randint(1, 28), 8, tzinfo=UTC),
                email=f"arved@{names.slug(name)}.example",
                phone=f"{names.DIAL[country.code]}{rng.randint(100, 999)}",
                contact=names.person_name(country.code, rng),
                address=f"{names.STREETS[country.code]} {rng.randint(1, 120)}",
                city=city,
                postal_code=postal_code,
                currency=country.currency,
                payment_days=rng.choice((7, 14, 30)),
            )
        )
    return tuple(made)
