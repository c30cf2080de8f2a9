"""Each connector, through the real door, against the stand-in that somebody else read out of the vendor's manual."""

import importlib.util
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from uku_web.sandbox.clock import StoppedClock
from uku_web.sandbox.server import create_sandbox, describe
from uku_web.vendors.access import Setup, open_connector
from uku_web.vendors.calls import to_json
from uku_web.vendors.capabilities import capabilities_of
from uku_web.vendors.errors import BadSettings, NeedsReauth, NotPermitted, RateLimited, Refused, Temporary, Uncertain
from uku_web.vendors.records import InvoiceCustomer, Month, Target, last_months
from uku_web.vendors.registry import connector_class, kinds, spec_of
from uku_web.vendors.spec import Replay

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
every_vendor = pytest.mark.parametrize("kind", kinds())


def able(name: str):
    return pytest.mark.parametrize("kind", [kind for kind in kinds() if name in capabilities_of(connector_class(kind))])


@pytest.fixture
def world(tmp_path):
    """The stand-ins on a stopped clock, and `connect(kind, **other credentials)` by way of the operator's overrides."""
    clock = StoppedClock(NOW)
    app = create_sandbox(clock=clock)
    lines = [line for line in describe("http://sandbox.test", directory=tmp_path, app=app) if line["kind"] in kinds()]
    control = app.test_client()

    def sleep(seconds):
        clock.sleep(seconds)
        time.sleep(0.005)  # a call that waits for another thread's must let it run

    setup = Setup(
        environ={_setting(line): line["base_url"] for line in lines},
        now=clock.now,
        sleep=sleep,
        transport=httpx.WSGITransport(app=app),
    )

    def first_credentials(kind):
        return json.loads(Path(next(line for line in lines if line["kind"] == kind)["credentials"]).read_text())

    def connect(kind, **changed):
        return open_connector(kind, {**first_credentials(kind), **changed}, setup=setup)

    def switch(kind, fault, **more):
        answer = control.post("/_control/switches", json={"vendor": kind, "fault": fault, **more})
        assert answer.status_code == 201, answer.text

    def seen():
        """The paths asked since the last look, without what stands before the endpoint."""
        requests = control.get("/_control/requests").get_json()["requests"]
        control.delete("/_control/requests")
        return [request["path"].rsplit("/", 1)[-1] for request in requests]

    return SimpleNamespace(clock=clock, control=control, connect=connect, switch=switch, seen=seen)


def _setting(line) -> str:
    return "_".join(filter(None, ["UKU_VENDOR_URL", line["kind"], line["variant"]])).upper()


def sample_invoice(kind, connector, **changed):
    """The sample's invoice to a new customer, with the stand-in's own item and tax. A vendor whose items are no data
    to import has a `product_of(connector)` in its sample."""
    path = Path(__file__).parent / kind / "sample.py"
    spec = importlib.util.spec_from_file_location(f"sample_of_{kind}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    row = module.INVOICE.rows[0]
    if hasattr(connector, "products"):
        product = next(product for product in connector.products() if product.active and product.tax_code)
        row = replace(row, product=product.code, tax_code=product.tax_code, tax_percent=product.tax_percent)
    elif hasattr(connector, "tax_rates"):
        rate = next(rate for rate in connector.tax_rates() if rate.active and rate.percent)
        product = module.product_of(connector) if hasattr(module, "product_of") else row.product
        row = replace(row, product=product, tax_code=rate.code, tax_percent=rate.percent)
    on = NOW.date()
    customer = InvoiceCustomer(name="Uus Klient OÜ", register_number="10009999", country="EE")
    whole = replace(module.INVOICE, number="T-9001", on=on, due=on + timedelta(days=14), customer=customer)
    return replace(whole, rows=(replace(row, quantity=Decimal(3), price=Decimal("0.335")), row), **changed)


@every_vendor
def test_good_credentials_pass(kind, world):
    account = world.connect(kind).test().account
    assert account.id
    most = 3 if account.name else 1  # where no call tells the name, finding it may take two more
    assert len(world.seen()) <= most


@every_vendor
def test_each_wrong_credential_is_refused_and_the_right_ones_still_pass(kind, world):
    spec = spec_of(kind)
    for field in spec.credentials:
        if field.name != spec.variant_field:
            with pytest.raises(NeedsReauth) as caught:
                world.connect(kind, **{field.name: "wrong-value"}).test()
            assert caught.value.field == field.name
    assert world.connect(kind).test()


@every_vendor
def test_credentials_of_one_variant_are_unknown_in_another(kind, world):
    spec = spec_of(kind)
    if not spec.variants_exclusive:
        pytest.skip("one set of credentials opens all variants")
    for variant in spec.variants[1:]:
        with pytest.raises(NeedsReauth):
            world.connect(kind, **{spec.variant_field: variant.key}).test()


@able("tax-rates")
def test_tax_rates_come_in(kind, world):
    rates = list(world.connect(kind).tax_rates())
    assert len({rate.id for rate in rates}) == len(rates) > 1
    assert all(rate.code and rate.percent is not None for rate in rates)


@able("products")
def test_products_come_in(kind, world):
    products = list(world.connect(kind).products())
    assert len({product.id for product in products}) == len(products) > 1
    assert any(product.active and product.price and product.tax_code for product in products)


@able("statistics")
@pytest.mark.parametrize("count", [1, 12, 13])
def test_statistics_take_the_forecast_number_of_requests(kind, count, world):
    connector, months = world.connect(kind), last_months(count, Month.of(NOW))
    keys = [field.key for field in connector.spec.countable(whole_books=True)]
    for fields in (keys, *([key] for key in keys)):
        world.clock.advance(timedelta(seconds=120))
        forecast = connector.forecast([Target("books")], fields, months)
        counts = list(connector.statistics([Target("books")], fields, months))
        assert len(counts) == len(fields) * count
        assert len(world.seen()) == forecast.requests or not forecast.exact


@able("statistics")
def test_a_field_asked_alone_counts_the_same(kind, world):
    connector, months = world.connect(kind), last_months(12, Month.of(NOW))
    keys = [field.key for field in connector.spec.countable(whole_books=True)]
    together = {(c.month, c.field): c.value for c in connector.statistics([Target("books")], keys, months)}
    assert any(together.values())
    for key in keys:
        world.clock.advance(timedelta(seconds=120))
        alone = {(c.month, c.field): c.value for c in connector.statistics([Target("books")], [key], months)}
        assert alone == {place: value for place, value in together.items() if place[1] == key}


@able("send-invoice")
def test_an_invoice_is_sent_and_found(kind, world):
    connector = world.connect(kind)
    invoice = sample_invoice(kind, connector)
    assert connector.find_invoice(invoice) == []
    steps = list(connector.send_invoice(invoice, {}, key="k"))
    assert steps[-1].last
    (found,) = connector.find_invoice(invoice)
    assert found.refs["id"] == steps[-1].refs["id"]
    assert (found.number, found.customer_name) == ("T-9001", "Uus Klient OÜ")


@able("send-invoice")
def test_a_second_sending_is_refused_or_shows_when_the_invoice_is_looked_for(kind, world):
    """A vendor that takes a number twice says Replay.SEARCH: nothing is sent again before it was looked for."""
    connector = world.connect(kind)
    invoice = sample_invoice(kind, connector)
    done = {step.name: step.refs for step in connector.send_invoice(invoice, {}, key="k") if not step.last}
    try:
        list(connector.send_invoice(invoice, done, key="k2"))
    except Refused as error:
        assert error.duplicate
        assert len(connector.find_invoice(invoice)) == 1
    else:
        assert connector.spec.replay is Replay.SEARCH
        assert len(connector.find_invoice(invoice)) == 2


@able("send-invoice")
def test_a_credit_note_turns_the_total_around(kind, world):
    connector = world.connect(kind)
    invoice = sample_invoice(kind, connector)
    *_, step = connector.send_invoice(invoice, {}, key="k")
    credit = replace(invoice, number="T-9002", credit_of=step.refs["id"])
    list(connector.send_invoice(credit, {}, key="k2"))
    (first,), (second,) = connector.find_invoice(invoice), connector.find_invoice(credit)
    assert second.total == -first.total < 0


@able("send-invoice")
def test_a_create_whose_answer_is_lost_is_uncertain_and_found_by_asking(kind, world):
    connector = world.connect(kind)
    invoice = sample_invoice(kind, connector)
    before = connector.send_invoice(replace(invoice, number="T-9000"), {}, key="k")
    done = {step.name: step.refs for step in before if not step.last}  # what is read and made before is there
    world.switch(kind, "trace", times=1)
    with pytest.raises(Uncertain):
        list(connector.send_invoice(invoice, done, key="k"))
    if not connector.find_invoice(invoice):
        list(connector.send_invoice(invoice, done, key="k"))
    assert len(connector.find_invoice(invoice)) == 1


@able("payments")
def test_part_and_full_payment_are_read_with_their_dates(kind, world):
    connector = world.connect(kind)
    invoice = sample_invoice(kind, connector)
    refs = list(connector.send_invoice(invoice, {}, key="k"))[-1].refs
    total = connector.find_invoice(invoice)[0].total
    (unpaid,) = connector.payments([refs])
    assert (unpaid.invoice_ref, unpaid.total, unpaid.paid, unpaid.on) == (refs["id"], total, 0, None)
    pay(world, connector, "1.00", "2026-01-12")
    (part,) = connector.payments([refs])
    assert (part.paid, part.on.isoformat(), part.estimated) == (Decimal("1.00"), "2026-01-12", False)
    pay(world, connector, str(total - 1), "2026-01-14")
    (full,) = connector.payments([refs])
    assert (full.paid, full.on.isoformat(), full.settled_without_payment) == (total, "2026-01-14", 0)


def pay(world, connector, amount, date):
    spec = connector.spec
    variant = [spec.variant_of(connector.credentials).key] if spec.variant_field else []
    path = "/".join(["/_control", spec.kind, *variant, "pay"])
    said = {**connector.credentials, "invoice_no": "T-9001", "amount": Decimal(amount), "date": date}
    answer = world.control.post(path, data=to_json(said), content_type="application/json")
    assert answer.status_code == 201, answer.text


@every_vendor
@pytest.mark.parametrize(
    ("fault", "value", "expected"),
    [
        ("break", "503", Temporary),
        ("html", None, Temporary),
        ("cut", None, Temporary),
        ("trace", None, Temporary),
        ("limit", "300", RateLimited),
        ("licence", None, NotPermitted),
        ("revoke", None, NeedsReauth),
        ("skew", "3600", BadSettings),
    ],
)
def test_trouble_at_the_vendor_is_told_by_kind_and_passes(kind, fault, value, expected, world):
    connector = world.connect(kind)
    world.switch(kind, fault, **({"value": value} if value else {}))
    with pytest.raises(expected):
        connector.test()
    world.control.delete("/_control/switches")
    world.clock.advance(timedelta(seconds=600))
    assert connector.test()


@every_vendor
def test_a_short_outage_is_bridged_by_the_door(kind, world):
    world.switch(kind, "break", times=2)
    assert world.connect(kind).test()
    seen = world.seen()
    assert seen[:3] == [seen[0]] * 3


@every_vendor
def test_an_answer_encoded_twice_is_read(kind, world):
    world.switch(kind, "twice")
    assert world.connect(kind).test()
