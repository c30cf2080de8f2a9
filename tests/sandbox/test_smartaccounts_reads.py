import pytest

ARTICLES, CLIENTS = "purchasesales/articles", "purchasesales/clients"


def errors(response, status=400):
    assert response.status_code == status, response.text
    return [error["key"] for error in response.get_json()["errors"]]


@pytest.mark.parametrize(
    ("service", "key"),
    [
        ("vatpcs", "vatPcs"),
        ("accounts", "accounts"),
        ("bankaccounts", "bankAccounts"),
        ("cashaccounts", "cashAccounts"),
        ("paymentmethods", "paymentMethods"),
        ("objects", "objects"),
    ],
)
def test_settings_are_not_paged(smart, service, key):
    answer = smart.get(f"settings/{service}:get")
    assert set(answer) == {key} and answer[key]
    assert errors(smart.ask(f"settings/{service}:get", pageNumber=1)) == ["UNKNOWN-PARAMETER"]


def test_vat_types_are_named_by_their_code(smart):
    rates = {rate["vatPc"]: rate for rate in smart.get("settings/vatpcs:get")["vatPcs"]}
    assert (rates["24"]["pc"], rates["24"]["activeSales"], rates["22"]["activeSales"]) == (24.0, True, False)
    assert rates["0EL"]["pc"] == rates["KMV"]["pc"] == 0
    assert rates["KMV"]["custom"] and rates["KMV"]["inUse"] and "inUse" not in rates["24"]


def test_filters_of_articles(smart):
    everything = smart.get(f"{ARTICLES}:get")
    assert len(everything["articles"]) == 10 and everything["hasMoreEntries"] is False and "deleted" not in everything
    assert {article["type"] for article in everything["articles"]} >= {"SERVICE", "WH"}
    assert [a["code"] for a in smart.get(f"{ARTICLES}:get", code="A003")["articles"]] == ["A003"]
    assert smart.get(f"{ARTICLES}:get", code="A0")["articles"] == []
    assert [a["description"] for a in smart.get(f"{ARTICLES}:get", searchString="käsi")["articles"]] == ["Käsiraamat"]
    changed = smart.get(f"{ARTICLES}:get", modifiedFrom="01.01.2026")
    assert changed["articles"] == changed["deleted"] == []


def test_a_new_article_shows_among_the_changed(smart):
    fields = {"code": "UUS", "description": "Uus teenus", "type": "SERVICE", "vatPc": "24", "priceSales": 12.5}
    added = smart.post(f"{ARTICLES}:add", fields)
    assert (added.status_code, added.get_json()) == (200, {"code": "UUS"})
    (found,) = smart.get(f"{ARTICLES}:get", modifiedFrom="18.03.2026_12:30:00")["articles"]
    assert (found["code"], found["priceSales"], found["vatPc"], found["type"]) == ("UUS", 12.5, "24", "SERVICE")
    assert found["activeSales"] is True
    assert errors(smart.post(f"{ARTICLES}:add", fields)) == ["ARTICLE-CODE-EXISTS"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"code": None}, "MISSING-PROPERTY"),
        ({"description": ""}, "MISSING-PROPERTY"),
        ({"type": "GOODS"}, "INVALID-PROPERTY"),
        ({"vatPc": "23"}, "VATPC-NOT-FOUND"),
        ({"priceSale": 1}, "UNKNOWN-PROPERTY"),
        ({"priceSales": "12.50"}, "INVALID-PROPERTY"),
    ],
)
def test_articles_that_are_refused(smart, change, key):
    fields = {"code": "UUS", "description": "Uus teenus", "type": "SERVICE"} | change
    assert errors(smart.post(f"{ARTICLES}:add", fields)) == [key]


def test_clients_are_found_by_part_of_a_name_or_code(smart):
    party = smart.get(f"{CLIENTS}:get")["clients"][0]
    for part in (party["name"], party["name"][1:-3].upper(), party["regCode"], party["regCode"][2:]):
        found = smart.get(f"{CLIENTS}:get", nameOrRegCode=part)["clients"]
        assert party["id"] in {one["id"] for one in found}, part
    assert len(smart.get(f"{CLIENTS}:get", nameOrRegCode="9")["clients"]) > 1
    assert smart.get(f"{CLIENTS}:get", nameOrRegCode="ei ole")["clients"] == []
    (by_id,) = smart.get(f"{CLIENTS}:get", id=party["id"])["clients"]
    assert by_id == party
    assert errors(smart.ask(f"{CLIENTS}:get", id="c-0")) == ["CLIENT-NOT-FOUND"]


def test_addresses_contacts_and_comments_come_when_asked_for(smart):
    party = smart.get(f"{CLIENTS}:get")["clients"][0]
    assert not {"address", "contacts", "comment", "acceptsEinvoices"} & set(party)
    wanted = {"fetchAddresses": "true", "fetchContacts": "true", "fetchComments": "true"}
    full = smart.get(f"{CLIENTS}:get", **wanted, fetchAcceptsEinvoices="true")["clients"][0]
    assert full["address"]["city"] and {c["type"] for c in full["contacts"]} == {"EMAIL", "PHONE", "PERSON"}
    assert {"comment", "acceptsEinvoices"} <= set(full)


def test_a_new_client(smart):
    fields = {
        "name": "Õunapuu OÜ",
        "vatPc": "24",
        "regCode": "90009999",
        "invoiceDueDate": 21,
        "address": {"city": "Tartu", "country": "EE"},
        "contacts": [{"type": "EMAIL", "value": "arved@ounapuu.example"}],
        "comment": "uus",
    }
    added = smart.post(f"{CLIENTS}:add", fields).get_json()
    assert set(added) == {"clientId", "referenceNumber"}
    wanted = {"fetchAddresses": "true", "fetchContacts": "true", "fetchComments": "true"}
    answer = smart.get(f"{CLIENTS}:get", modifiedFrom="18.03.2026", **wanted)
    (found,) = answer["clients"]
    assert answer["deleted"] == []
    assert found["id"] == added["clientId"] and found["address"]["city"] == "Tartu"
    assert {name: found[name] for name in ("name", "vatPc", "regCode", "invoiceDueDate", "comment")} == {
        name: fields[name] for name in ("name", "vatPc", "regCode", "invoiceDueDate", "comment")
    }
    assert found["contacts"] == [{"type": "EMAIL", "value": "arved@ounapuu.example", "description": None}]
    assert smart.get(f"{CLIENTS}:get", modifiedFrom="18.03.2026_12:30:01")["clients"] == []


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": ""}, "MISSING-PROPERTY"),
        ({"vatPc": None}, "MISSING-PROPERTY"),
        ({"vatPc": "23"}, "VATPC-NOT-FOUND"),
        ({"vatPc": 24}, "INVALID-PROPERTY"),
        ({"registryCode": "1"}, "UNKNOWN-PROPERTY"),
        ({"address": {"street": "x"}}, "UNKNOWN-PROPERTY"),
        ({"contacts": [{"type": "MAIL", "value": "x"}]}, "INVALID-PROPERTY"),
        ({"contacts": "x"}, "INVALID-PROPERTY"),
    ],
)
def test_clients_that_are_refused(smart, change, key):
    assert errors(smart.post(f"{CLIENTS}:add", {"name": "X", "vatPc": "24"} | change)) == [key]


def test_the_address_decides_the_language_of_the_second_stage_only(smart):
    texts = {}
    for prefix in ("", "/et", "/en"):
        for change in ({"vatPc": "23"}, {"vatPc": None}):
            answer = smart.post(f"{CLIENTS}:add", {"name": "X"} | change, prefix=prefix).get_json()
            texts[prefix, change["vatPc"]] = answer["errors"][0]["message"]
    assert texts["", "23"] == texts["/et", "23"] == "Käibemaksu liiki 23 ei leitud"
    assert texts["/en", "23"] == "VAT type 23 not found"
    assert len({texts[prefix, None] for prefix in ("", "/et", "/en")}) == 1


def test_a_body_that_is_none(smart):
    for body in (b"", b"[]", b"{", b"\xff"):
        response = smart.open(f"{CLIENTS}:add", smart.signed(body=body), body, "POST")
        assert errors(response) == ["BODY-READ-ERROR"]


@pytest.mark.parametrize(
    ("filters", "key"),
    [
        ("pageNumber=0", "INVALID-PAGE-NUMBER"),
        ("pageNumber=x", "INVALID-PAGE-NUMBER"),
        ("modifiedFrom=2026-01-01", "INVALID-DATE"),
        ("modifiedFrom=01.01.2026%2010:00:00", "INVALID-DATE"),
        ("fetchContacts=1", "INVALID-PARAMETER"),
        ("nameOrRegcode=x", "UNKNOWN-PARAMETER"),
        ("id=1&id=2", "REPEATED-PARAMETER"),
    ],
)
def test_filters_that_are_refused(smart, filters, key):
    assert errors(smart.open(f"{CLIENTS}:get", smart.signed(filters))) == [key]
