"""The bell and the list of notifications."""

import pytest
from sqlalchemy import select

from uku_web.db import db
from uku_web.models import Notice
from uku_web.services import notices
from uku_web.tenancy import company_scope

PART = {"HX-Request": "true"}


@pytest.fixture
def told(firm) -> int:
    with company_scope(firm.id):
        notices.tell([firm.people["member"]], "Reload <b>done</b>", body="12 values.", path="/runs?mine=1")
        db.session.commit()
        return db.session.scalar(select(Notice.id))


def test_the_bell_counts_and_is_silent_while_nothing_changes(signed_in, firm, told):
    client = signed_in("member")
    bell = client.get("/notices/bell", headers=PART)
    assert "1 unread" in bell.text and "/notices/bell?seen=1" in bell.text
    assert client.get("/notices/bell?seen=1", headers=PART).status_code == 204
    assert client.get("/notices/bell?seen=0", headers=PART).status_code == 200
    assert "1 unread" in client.get("/clients").text


def test_an_empty_list_says_what_will_stand_there(signed_in):
    client = signed_in("member")
    assert "Nothing to tell you" in client.get("/notices").text
    assert client.get("/notices/bell?seen=0", headers=PART).status_code == 204


def test_opening_a_notice_reads_it_and_leads_to_what_it_is_about(signed_in, told):
    client = signed_in("member")
    page = client.get("/notices").text
    assert "Reload &lt;b&gt;done" in page and "12 values." in page and "new" in page
    assert client.post(f"/notices/{told}/open").location == "/runs?mine=1"
    assert "unread" not in client.get("/notices").text


def test_all_are_read_at_once(signed_in, told):
    client = signed_in("member")
    client.post("/notices/read")
    page = client.get("/notices").text
    assert "unread" not in page and "Mark all as read" not in page


@pytest.mark.parametrize("path", ["https://evil.test/", "//evil.test", "javascript:alert(1)", ""])
def test_a_notice_leads_to_no_other_site(signed_in, firm, told, path):
    with company_scope(firm.id):
        db.session.get(Notice, told).path = path
        db.session.commit()
    client = signed_in("member")
    page = client.get("/notices").text
    assert "evil" not in page and f"/notices/{told}/open" not in page
    assert client.post(f"/notices/{told}/open").location == "/notices"


@pytest.mark.parametrize("name", ["owner", "stranger"])
def test_nobody_reads_somebody_elses_notices(signed_in, firm, told, name):
    client = signed_in(name)
    assert client.post(f"/notices/{told}/open").status_code == 404
    client.post("/notices/read")
    assert "Reload" not in client.get("/notices").text.split("<main", 1)[1]
    with company_scope(firm.id):
        assert db.session.get(Notice, told).read_at is None


def test_a_settled_cause_says_so_and_counts_no_more(signed_in, firm):
    with company_scope(firm.id):
        for _ in range(3):
            notices.tell([firm.people["member"]], "Keys refused", level="bad", cause="connection:1", path="/clients")
        db.session.commit()
    client = signed_in("member")
    assert "3 times" in client.get("/notices").text
    with company_scope(firm.id):
        notices.close("connection:1")
        db.session.commit()
    page = client.get("/notices").text
    assert "settled" in page and "unread" not in page
