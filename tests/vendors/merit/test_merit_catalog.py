"""Connection test, tax rates and items."""

from decimal import Decimal

import pytest

from uku_web.vendors.calls import to_json
from uku_web.vendors.errors import Temporary
from uku_web.vendors.records import Account, Product, TaxRate


def test_the_test_asks_once_and_names_the_account_by_country_and_id(merit):
    connector = merit(country="fi", api_id="ABC-1")
    tested = connector.test()
    assert tested.account == Account(id="fi:abc-1", country="FI")
    assert connector.door.paths == ["/v1/gettaxes"]
    assert connector.door.sent[0].body == b"{}"
    assert connector.door.sent[0].method == "POST"


def test_every_field_of_a_tax_rate_and_none_that_is_inactive(merit):
    assert list(merit().tax_rates()) == [
        TaxRate("5b7d0f2e-0000-4000-8000-000000000024", "24%", "24% käibemaks", Decimal("24.0")),
        TaxRate("5b7d0f2e-0000-4000-8000-000000000000", "0% EL", "0% EL-i teenused", Decimal(0)),
    ]


def test_every_field_of_a_product(merit):
    bookkeeping, old, paper, ended = merit().products()
    assert bookkeeping == Product(
        id="17e00000-0000-4000-8000-000000000001",
        name="Raamatupidamine",
        code="RAAMATUP",
        unit="h",
        price=Decimal("45.1234567"),
        tax_code="24%",
        tax_percent=Decimal("24.0"),
        active=True,
    )
    assert (paper.price, paper.tax_code, paper.unit, paper.active) == (None, None, None, True)
    assert (old.active, ended.active) == (False, False)


@pytest.mark.parametrize(
    ("usage", "active"),
    [
        ({"Usage": 4}, False),
        ({"Usage": "4"}, False),
        ({"Usage": "Mitteaktiivne"}, False),
        ({"Usage": "inactive"}, False),
        ({"Usage": "Müük", "Usage0": 4}, False),
        ({"Usage": 3}, True),
        ({"Usage": "Müük"}, True),
        ({}, True),
    ],
)
def test_usage_comes_as_number_or_as_text(merit, usage, active):
    item = {"ItemId": "1", "Code": "A", "Name": "A", **usage}
    (product,) = merit(lambda call: [item] if call.path.endswith("getitems") else []).products()
    assert product.active is active


def test_keys_are_read_in_any_case(merit, sample):
    def lower(call):
        return [{key.lower(): value for key, value in row.items()} for row in sample.reply(call)]

    assert list(merit(lower).tax_rates()) == list(merit().tax_rates())
    assert list(merit(lower).products()) == list(merit().products())


def test_a_list_inside_a_text_is_read(merit, sample):
    assert list(merit(lambda call: to_json(to_json(sample.reply(call)).decode())).tax_rates()) == list(
        merit().tax_rates()
    )


@pytest.mark.parametrize("answer", [{"Id": "1"}, [1, 2], [{"Code": "x"}], [{"Id": "1", "TaxPct": "much"}]])
def test_an_answer_of_another_shape_is_temporary_and_passes(merit, sample, answer):
    connector = merit(lambda _: answer)
    with pytest.raises(Temporary):
        list(connector.tax_rates())
    connector.door.reply = sample.reply
    assert len(list(connector.tax_rates())) == 2
