"""The connection test, the company's name, and VAT types."""

from decimal import Decimal

import pytest

from uku_web.vendors.errors import Temporary
from uku_web.vendors.smartaccounts.seller import name_in

NAME = "Õunapuu Raamat & Pojad OÜ"


def test_the_test_tells_the_seller_of_the_newest_e_invoice(smart):
    connector = smart()
    newest = {"date": "01.03.2025", "id": "inv-505"}
    whole = connector.door.reply
    connector.door.reply = lambda call: whole(call) if "dateFrom" not in dict(call.query) else invoices(newest)
    account = connector.test().account
    assert (account.name, account.country, account.currency) == (NAME, "EE", "EUR")
    assert [path.rpartition("/")[2] for path in connector.door.paths] == [
        "vatpcs:get",
        "clientinvoices:get",
        "clientinvoices:getxml",
    ]
    assert dict(connector.door.sent[1].query) == {"dateFrom": "15.01.2025"}
    assert dict(connector.door.sent[2].query) == {"id": "inv-505"}


def invoices(*rows):
    return {"clientInvoices": [{"date": "31.12.2024", "id": "inv-9"}, *rows], "hasMoreEntries": True}


@pytest.mark.parametrize("service", ["clientinvoices:get", "clientinvoices:getxml"])
@pytest.mark.parametrize(
    "said",
    [
        {"clientInvoices": [], "hasMoreEntries": False},
        {"clientInvoices": [{"id": "x", "date": "?"}]},
        b"",
        b"<html>",
        (400, {}, b"no"),
        (401, {}, b""),
        (403, {}, b""),
        (500, {}, b""),
        (503, {}, b"limit"),
    ],
)
def test_no_trouble_with_the_name_fails_the_test(smart, sample, service, said):
    connector = smart(lambda call: said if call.path.endswith(service) else sample.reply(call))
    account = connector.test().account
    assert account.name is None and account.id
    assert len(connector.door.sent) <= 3


def test_the_account_is_told_apart_by_its_key_without_showing_it(smart, sample):
    one, other = smart().test().account, smart(api_key="another").test().account
    assert one.id == smart(api_secret="rotated").test().account.id != other.id
    assert sample.CREDENTIALS["api_key"] not in one.id


SELLER = "<a><InvoiceParties><SellerParty>%s</SellerParty></InvoiceParties></a>"


@pytest.mark.parametrize(
    ("xml", "name"),
    [
        (SELLER % "<Name>A\n  B</Name>", "A B"),
        (SELLER % "<Name>A</Name><Name>B</Name>", "A"),
        (SELLER % "<Name></Name>", None),
        (SELLER % "<Contact><Name>A</Name></Contact>", None),
        (SELLER.replace("</", "</n:").replace("<", "<n:").replace("<n:/n:", "</n:") % "<n:Name>A</n:Name>", "A"),
        ("<a><InvoiceParties><BuyerParty><Name>B</Name></BuyerParty></InvoiceParties></a>", None),
        ("<!DOCTYPE a [<!ENTITY e 'A'>]>" + SELLER % "<Name>&e;</Name>", None),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'>" + SELLER % "<Name>A</Name>", None),
        ("<!DOCTYPE a>" + SELLER % "<Name>A</Name>", None),
        (SELLER % "<Name>&e;</Name>", None),
        ("<?xml version='1.0' encoding='unheard-of'?>" + SELLER % "<Name>A</Name>", None),
        ("<a>" * 100 + "</a>" * 100, None),
        (SELLER % "<Name>A</Name>" + "<", None),
        ('{"xml":"no"}', None),
        ("", None),
    ],
)
def test_the_seller_is_read_from_plain_xml_alone(xml, name):
    assert name_in(xml.encode()) == name


def test_a_long_name_and_another_encoding(sample):
    assert len(name_in((SELLER % f"<Name>{'A' * 999}</Name>").encode())) == 255
    xml = "<?xml version='1.0' encoding='iso-8859-1'?>" + SELLER % "<Name>Õun</Name>"
    assert name_in(xml.encode("iso-8859-1")) == "Õun"


def test_vat_types_with_those_that_are_not_sold_with_inactive(smart):
    rates = {rate.code: rate for rate in smart().tax_rates()}
    assert [(rate.name, rate.percent, rate.active) for rate in rates.values()] == [
        ("24% turnover", Decimal(24), True),
        ("0% ühendusesisene", Decimal(0), True),
        ("9% own", Decimal(9), False),
        ("24% reverse charge", Decimal(24), False),
    ]
    assert all(rate.id == code for code, rate in rates.items())


@pytest.mark.parametrize(
    "said",
    [
        b'\xef\xbb\xbf{"vatPcs":[{"vatPc":"24","pc":24}]}',
        b'"{\\"vatPcs\\":[{\\"vatPc\\":\\"24\\",\\"pc\\":24.0}]}"',
        b'[{"vatPc":24,"pc":"24.00"}]',
        b'{"list":[{"vatPc":"24","pc":24}],"deleted":["x"]}',
    ],
)
def test_other_shapes_of_the_list(smart, said):
    (rate,) = smart(lambda _: said).tax_rates()
    assert (rate.code, rate.percent) == ("24", 24)


@pytest.mark.parametrize(
    "said",
    [
        b'{"vatPcs":[{"pc":24}]}',
        b'{"vatPcs":[{"vatPc":"24"}]}',
        b'{"vatPcs":[{"vatPc":"24","pc":"x"}]}',
        b'{"vatPcs":[{"vatPc":"24","pc":true}]}',
        b'{"vatPcs":["24"]}',
        b'{"a":[],"b":[]}',
        b"{}",
        b"24",
    ],
)
def test_what_is_no_list_of_vat_types_is_temporary(smart, said):
    with pytest.raises(Temporary):
        list(smart(lambda _: said).tax_rates())
