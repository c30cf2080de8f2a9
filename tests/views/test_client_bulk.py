"""Ticking clients in the list, and the dialog Run integration."""

import re
from contextvars import Context

import pytest
from sqlalchemy import select, update

from tests.services.counting import do
from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Client, Company, Integration, Link, Run
from uku_web.tenancy import across_companies, company_scope
from uku_web.vendors.records import Month
from uku_web.views import forms

URL = "/clients/run-integration"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    rings: list[int] = []
    monkeypatch.setattr(forms, "ring", rings.append)
    return rings


@pytest.fixture
def firm_with_books(books, rung):
    """Two linked clients and one without a link."""
    db.session.add(Client(name="Cilla"))
    db.session.commit()
    return books


def ids(books) -> list[int]:
    with company_scope(books.firm.id):
        return [link.client_id for link in books.links]


def many(books, count: int) -> None:
    with company_scope(books.firm.id):
        _many(books, count)


def _many(books, count: int) -> None:
    rows = [{"name": f"Client {n:05d}", "company_id": books.firm.id, "active": True} for n in range(count)]
    rows = [row | {"sort_name": row["name"].casefold(), "search_text": row["name"].casefold()} for row in rows]
    made = list(db.session.scalars(db.insert(Client).returning(Client.id), rows))
    connection = books.links[0].connection
    tie = {"company_id": books.firm.id, "kind": "fake", "account_id": connection.account_id}
    tie["connection_id"] = connection.id
    db.session.execute(db.insert(Link), [tie | {"client_id": client_id} for client_id in made])
    db.session.commit()


def last_month() -> str:
    return str(Month.of(now().date()).shift(-1))


def run_of(answer) -> Run:
    assert answer.status_code == 303, answer.text
    db.session.expire_all()
    with across_companies():
        return db.session.scalar(select(Run).where(Run.id == int(answer.location.rpartition("/")[2])))


def change(books, **values) -> None:
    """The integration's settings."""
    with company_scope(books.firm.id):
        db.session.execute(update(Integration).values(**values))
        db.session.commit()


def test_managers_tick_clients_while_the_integration_app_is_on(signed_in, firm_with_books):
    page = signed_in("admin").get("/clients").text
    assert page.count('name="client"') == 3 and "data-select-all" in page and "Bulk actions" in page
    assert f'action="{URL}"' in page
    page = signed_in("member").get("/clients").text
    assert 'name="client"' not in page and "Bulk actions" not in page and URL not in page
    db.session.get(Company, firm_with_books.firm.id).integration_on = False
    db.session.commit()
    browser = signed_in("owner")
    assert "Bulk actions" not in browser.get("/clients").text
    refused = browser.get(f"{URL}?all_matching=1")
    assert refused.status_code == 422 and "Integration app is off" in refused.text


def test_all_that_match_are_offered_only_beyond_one_page_and_travel_as_filters(signed_in, firm_with_books):
    browser = signed_in("owner")
    assert "all_matching" not in browser.get("/clients").text
    many(firm_with_books, 60)
    page = browser.get("/clients?q=client&size=25").text
    assert "Select all 60 that match" in page
    form = page[page.index('<form id="client-selection"') :]
    assert '<input type="hidden" name="q" value="client">' in form
    dialog = browser.get(f"{URL}?all_matching=1&q=client&client=1&client=2", headers=HTMX).text
    assert ">60 clients<" in dialog
    assert f'action="{URL}?all_matching=1&amp;q=client"' in dialog
    assert 'name="client"' not in dialog


def test_what_was_ticked_stays_so_when_the_list_is_drawn_anew(signed_in, firm_with_books):
    first, second = ids(firm_with_books)
    many(firm_with_books, 60)
    page = signed_in("owner").get(f"/clients?client={first}&client={second}&all_matching=1", headers=HTMX).text
    assert re.findall(r'value="(\d+)" data-select checked', page) == [str(first), str(second)]
    assert re.search(r'name="all_matching"[^>]* checked', page)


def test_the_dialog_tells_how_many_are_chosen_and_left_out(signed_in, firm_with_books):
    db.session.add(Client(name="Dora", active=False))
    db.session.commit()
    browser = signed_in("admin")
    for headers in ({}, HTMX):
        page = browser.get(f"{URL}?all_matching=1&state=all", headers=headers).text
        for text in (
            "Run integration",
            ">4 clients<",
            "Fake Books",
            "Period",
            "1 of the chosen clients has no live Fake",
        ):
            assert text in page
        assert "1 of the chosen clients is inactive." in page
        assert page.count("<option") == 1 + 37
    some = browser.get(f"{URL}?client={ids(firm_with_books)[0]}&client=x&client=999999", headers=HTMX).text
    assert ">1 client<" in some and "left out" not in some


def test_nobody_chosen_and_nothing_enabled_are_said(signed_in, firm_with_books):
    browser = signed_in("owner")
    page = browser.get(URL, headers=HTMX).text
    assert "No client is chosen" in page and 'id="run"' not in page
    change(firm_with_books, enabled=False)
    page = browser.get(f"{URL}?all_matching=1").text
    assert "No integration is enabled" in page and "Go to Settings & Apps" in page


def test_run_opens_one_run_of_the_chosen_and_shows_its_progress(signed_in, firm_with_books, rung):
    browser = signed_in("admin")
    given = {"kind": "fake", "month": last_month()}
    address = f"{URL}?all_matching=1&q=a"
    answer = browser.post(address, data=given)
    run = run_of(answer)
    assert (run.what, run.trigger, run.person_id) == ("statistics-all", "bulk", firm_with_books.firm.people["admin"])
    assert len(run.params["clients"]) == 3 and run.params["months"] == [given["month"]]
    assert rung == [run.id]
    assert run_of(browser.post(address, data=given)).id == run.id  # a second click

    for headers in ({}, HTMX):
        page = browser.get(answer.location, headers=headers).text
        assert "Waiting for a worker" in page and f'href="/runs/{run.id}"' in page
    poll = re.search(r'hx-get="(/clients/run-integration/progress[^"]+)"', page)[1].replace("&amp;", "&")
    assert browser.get(poll, headers=HTMX).status_code == 204
    assert browser.get(poll).status_code == 303  # not yet seen by a script: the run's page
    with company_scope(firm_with_books.firm.id):
        for child in do(run.id):
            do(child)
    news = browser.get(poll, headers=HTMX)
    assert "2 clients done, 1 skipped." in news.text and "hx-trigger" not in news.text
    page = browser.get(f"/runs/{run.id}?show=clients").text
    for text in ("Aru OÜ", "Benn AS", "Cilla", "Has no Fake Books link."):
        assert text in page
    notices = browser.get("/notices").text
    assert notices.count("2 clients done, 1 skipped.") == 1 and "Run integration" in notices


def test_what_is_wrong_comes_back_as_a_sentence_and_is_mended(signed_in, firm_with_books, rung):
    browser = signed_in("admin")
    address = f"{URL}?client={ids(firm_with_books)[0]}"
    good = {"kind": "fake", "month": last_month()}
    for wrong, sentence in (
        ({"month": "2001-01"}, "Choose a month from the list."),
        ({"month": "soon"}, "Choose a month from the list."),
        ({"kind": "paper"}, "Choose an integration from the list."),
    ):
        answer = browser.post(address, data=good | wrong, headers=HTMX)
        assert answer.status_code == 422 and "There is a problem" in answer.text and sentence in answer.text
    with company_scope(firm_with_books.firm.id):
        unlinked = db.session.scalar(select(Client.id).where(Client.name == "Cilla"))
    answer = browser.post(f"{URL}?client={unlinked}", data=good)
    assert answer.status_code == 422 and "None of the chosen clients" in answer.text
    assert rung == []
    assert run_of(browser.post(address, data=good)).params["clients"] == [ids(firm_with_books)[0]]


def test_before_the_settings_are_saved_the_dialog_leads_to_them(signed_in, firm_with_books):
    change(firm_with_books, task_title="")
    browser = signed_in("admin")
    for answer in (
        browser.get(f"{URL}?all_matching=1", headers=HTMX),
        browser.post(f"{URL}?all_matching=1", data={"kind": "fake", "month": last_month()}),
    ):
        assert "Settings tab of Fake Books" in answer.text and 'href="/settings/fake/settings"' in answer.text
        assert 'id="run"' not in answer.text
    change(firm_with_books, task_title="{month}")
    assert 'id="run"' in browser.get(f"{URL}?all_matching=1").text


def test_members_and_passers_by_run_nothing_and_strangers_find_nobody(signed_in, app, firm_with_books, rung):
    address, given = f"{URL}?client={ids(firm_with_books)[0]}", {"kind": "fake", "month": last_month()}
    assert app.test_client().post(address, data=given).status_code == 303
    for open_one in ("get", "post"):
        assert getattr(signed_in("member"), open_one)(address, data=given).status_code == 403
    stranger = signed_in("stranger")
    page = stranger.get(address).text
    assert "No client is chosen" in page and "Aru" not in page
    assert stranger.post(address, data=given).status_code == 422
    run = run_of(signed_in("admin").post(address, data=given))
    stranger = signed_in("stranger")
    assert stranger.get(f"{URL}/{run.id}").status_code == 404
    assert stranger.get(f"{URL}/progress?kind=fake&run={run.id}", headers=HTMX).status_code == 404
    assert len(rung) == 1


def test_dialog_and_click_take_the_same_few_statements_for_5_and_5000_clients(
    signed_in, firm_with_books, rung, count_sql
):
    browser = signed_in("owner")

    def statements() -> list[int]:
        counts = []
        for ask in (
            lambda: browser.get(f"{URL}?all_matching=1", headers=HTMX),
            lambda: browser.post(f"{URL}?all_matching=1", data={"kind": "fake", "month": last_month()}),
        ):
            db.session.rollback()
            with count_sql() as sent:
                # With a session of its own, as every true request has.
                assert Context().run(ask).status_code in (200, 303)
            counts.append(len(sent))
        return counts

    few = statements()
    many(firm_with_books, 5_000)
    assert statements() == few
    assert few[0] <= 12 and few[1] <= 20
    assert (
        len(
            run_of(browser.post(f"{URL}?all_matching=1", data={"kind": "fake", "month": last_month()})).params[
                "clients"
            ]
        )
        == 5_003
    )
