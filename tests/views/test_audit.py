"""The audit log: managers read it and take it along."""

import csv
import io

import pytest

from uku_web.db import db
from uku_web.services import audit
from uku_web.tenancy import company_scope
from uku_web.views.audit import safe_cell


@pytest.fixture
def acted(firm):
    with company_scope(firm.id):
        audit.record("client.deleted", '=HYPERLINK("http://evil.test")', code="@SUM(1)")
        audit.record("integration.enabled", "Kask <b>")
        db.session.commit()


def rows(client) -> list[list[str]]:
    answer = client.get("/settings/audit.csv")
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_owner_and_admin_read_who_did_what_and_when(signed_in, acted):
    for name in ("owner", "admin"):
        page = signed_in(name).get("/settings/audit").text
        assert "Client deleted" in page and "Kask &lt;b&gt;" in page and "Uku" in page


def test_what_a_person_does_stands_there_with_name_and_address(signed_in, firm):
    client = signed_in("admin")
    client.post("/clients/new", data={"name": "Kask"})
    assert [row[2:5] + row[6:] for row in rows(client)[1:]] == [["Admin", "client.created", "Kask", "127.0.0.1"]]


def test_no_cell_of_the_export_is_run_as_a_formula(signed_in, acted):
    newest, older = rows(signed_in("owner"))[1:]
    assert newest[3] == "integration.enabled"
    assert older[4] == '\'=HYPERLINK("http://evil.test")'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "|", "%", "\t=", " =", "\r", "\n", "\t"])
def test_every_sign_that_starts_a_formula_is_made_text(start):
    assert safe_cell(f"{start}cmd") == f"'{start}cmd"


def test_plain_texts_stay_as_they_are():
    assert [safe_cell(text) for text in ("Kask OÜ", "", "1-2")] == ["Kask OÜ", "", "1-2"]


def test_a_long_log_is_read_in_pages_and_exported_whole(signed_in, firm):
    with company_scope(firm.id):
        for n in range(1_050):
            audit.record("client.changed", f"Client {n:04d}")
        db.session.commit()
    client = signed_in("owner")
    first = client.get("/settings/audit").text
    assert "Client 1049" in first and "Client 0949" not in first
    older = first.split('rel="next" href="')[1].split('"')[0]
    assert "Client 0949" in client.get(older).text
    assert len(rows(client)) == 1_051


def test_members_and_strangers_do_not_read_it(signed_in, acted):
    for address in ("/settings/audit", "/settings/audit.csv"):
        assert signed_in("member").get(address).status_code == 403
    stranger = signed_in("stranger")
    assert "Kask" not in stranger.get("/settings/audit").text and len(rows(stranger)) == 1
