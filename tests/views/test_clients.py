"""The client list and the client's pages, for owner, admin, member and a stranger."""

from contextvars import Context

import pytest
from sqlalchemy import func, select

from uku_web.db import db
from uku_web.models import Account, Client, Company, Connection, Contact, Integration, Level, Link, Task
from uku_web.services import clients
from uku_web.tenancy import company_scope
from uku_web.vendors import registry

KIND = registry.kinds()[0]
LABEL = registry.spec_of(KIND).label
PART = {"HX-Request": "true"}


@pytest.fixture
def kask(firm) -> int:
    """A client with a contact and a task."""
    with company_scope(firm.id):
        client = clients.save(None, {"name": "Kask <b>OÜ</b>", "code": "K1", "email": "info@kask.test"})
        db.session.add_all([Contact(client_id=client.id, name="Juta"), Task(client_id=client.id, title="Salaries")])
        db.session.commit()
        return client.id


@pytest.fixture
def connected(firm, kask) -> int:
    """The same, linked by the company's connection."""
    with company_scope(firm.id):
        account = Account(kind=KIND, vendor_id="1", name="Books")
        db.session.add_all([account, Integration(kind=KIND, enabled=True)])
        db.session.flush()
        db.session.add(Connection(kind=KIND, level=Level.COMPANY, account_id=account.id, sealed="", state="ok"))
        db.session.add(Link(client_id=kask, kind=KIND, account_id=account.id))
        db.session.commit()
    return kask


def many(firm, count: int) -> None:
    with company_scope(firm.id):
        account = db.session.scalar(select(Account.id))
        rows = [{"name": f"Client {n:05d}", "company_id": firm.id} for n in range(count)]
        rows = [row | {"sort_name": row["name"].casefold(), "search_text": row["name"].casefold()} for row in rows]
        ids = list(db.session.scalars(db.insert(Client).returning(Client.id), [row | {"active": True} for row in rows]))
        link = {"company_id": firm.id, "kind": KIND, "account_id": account}
        db.session.execute(db.insert(Link), [link | {"client_id": client_id} for client_id in ids])
        db.session.commit()


def test_the_list_takes_the_same_few_statements_for_100_and_10000_clients(signed_in, firm, connected, count_sql):
    client = signed_in("owner")

    def statements(address: str) -> int:
        with count_sql() as sent:
            # With a session of its own, as every true request has.
            assert Context().run(client.get, address).status_code == 200
        return len(sent)

    addresses = ("/clients", "/clients?q=client&integration=connected&sort=-member&page=2")
    many(firm, 100)
    few = [statements(address) for address in addresses]
    many(firm, 9_900)
    assert [statements(address) for address in addresses] == few
    assert max(few) <= 12


def test_a_page_is_shown_whole_and_its_rows_alone_when_htmx_asks(signed_in, kask):
    client = signed_in("member")
    whole, part = client.get("/clients"), client.get("/clients?q=kask", headers=PART)
    assert "<html" in whole.text and "<html" not in part.text
    assert "Kask &lt;b&gt;OÜ" in whole.text and "Kask &lt;b&gt;OÜ" in part.text
    assert "HX-Request" in part.headers["Vary"]
    assert "<html" in client.get("/clients", headers={**PART, "HX-History-Restore-Request": "true"}).text


def test_an_empty_list_says_what_to_do_next(signed_in, firm):
    page = signed_in("admin").get("/clients").text
    assert "No clients yet" in page and "/clients/new" in page
    assert "/clients/new" not in signed_in("member").get("/clients").text
    assert "No client matches" in signed_in("member").get("/clients?q=x").text


def test_a_managers_integration_cell_opens_the_dialog_and_a_members_is_text(signed_in, kask):
    dialog = f"/clients/{kask}/integration"
    page = signed_in("admin").get("/clients").text
    assert f'hx-get="{dialog}"' in page and "Connect<" in page
    page = signed_in("member").get("/clients").text
    assert dialog not in page and "Not connected" in page


def test_the_cell_shows_the_vendor_and_its_state(signed_in, connected):
    for name in ("owner", "member"):
        page = signed_in(name).get("/clients").text
        assert LABEL in page and ": Connected" in page


def test_of_three_badges_two_are_shown_and_the_rest_counted(signed_in, kask, monkeypatch):
    from uku_web.services.client_links import Badge

    three = [
        Badge(KIND, "One", "attention", "Keys refused."),
        Badge(KIND, "Two", "asleep"),
        Badge(KIND, "Three", "connected"),
    ]
    monkeypatch.setattr("uku_web.services.client_links.badges_for", lambda rows: {row.id: three for row in rows})
    page = signed_in("admin").get("/clients").text
    assert "One" in page and "Two" in page and "Three" not in page and "+1" in page
    assert "Keys refused." in page


def test_without_the_integration_app_there_is_no_column_and_no_tab(signed_in, firm, kask):
    db.session.get(Company, firm.id).integration_on = False
    db.session.commit()
    client = signed_in("owner")
    assert "Integration</th>" not in client.get("/clients").text
    assert "/integrations" not in client.get(f"/clients/{kask}").text
    assert "The Integration app is off" in client.get(f"/clients/{kask}/integrations").text


def test_every_tab_of_a_client_has_its_own_address(signed_in, connected):
    client = signed_in("member")
    for address, text in (("", "K1"), ("/contacts", "Juta"), ("/tasks", "Salaries"), ("/integrations", LABEL)):
        answer = client.get(f"/clients/{connected}{address}")
        assert answer.status_code == 200 and text in answer.text, address
        assert answer.text.count('aria-current="page"') == 2  # the navigation and the tab


def test_managers_add_and_edit_clients(signed_in, firm):
    client = signed_in("admin")
    added = client.post("/clients/new", data={"name": "Uus", "default_member": str(firm.people["member"])})
    assert added.status_code == 303
    page = client.get(added.location).text
    assert "Uus is saved" in page and "Member" in page
    client.post(f"{added.location}/edit", data={"name": "Uuem"})
    assert "Uuem" in client.get("/clients").text


def test_a_wrong_form_comes_back_with_what_was_typed(signed_in, firm):
    answer = signed_in("admin").post("/clients/new", data={"name": "Uus", "email": "nobody", "notes": "Keep me"})
    assert answer.status_code == 422
    assert (
        "There is a problem" in answer.text and 'href="#f-email"' in answer.text and 'id="f-email-error"' in answer.text
    )
    assert "Keep me" in answer.text


def test_a_client_is_deactivated_and_activated(signed_in, kask):
    client = signed_in("admin")
    client.post(f"/clients/{kask}/active", data={"active": "0"})
    assert "Kask" not in client.get("/clients?state=active", headers=PART).text
    client.post(f"/clients/{kask}/active", data={"active": "1"})
    assert "Kask" in client.get("/clients", headers=PART).text


def test_only_the_owner_deletes_and_reads_what_goes_first(signed_in, kask):
    for name in ("admin", "member"):
        assert signed_in(name).get(f"/clients/{kask}/delete").status_code == 403
        assert signed_in(name).post(f"/clients/{kask}/delete").status_code == 403
    client = signed_in("owner")
    page = client.get(f"/clients/{kask}/delete").text
    assert "1 task with all its values" in page and "1 contact" in page
    assert client.post(f"/clients/{kask}/delete").location == "/clients"
    assert client.get(f"/clients/{kask}").status_code == 404


def test_contacts_are_added_changed_and_removed(signed_in, firm, kask):
    client = signed_in("admin")
    client.post(f"/clients/{kask}/contacts/new", data={"name": "Rein", "email": "rein@kask.test"})
    assert "mailto:rein@kask.test" in client.get(f"/clients/{kask}/contacts").text
    assert client.post(f"/clients/{kask}/contacts/new", data={"name": ""}).status_code == 422
    with company_scope(firm.id):
        rein = db.session.scalar(select(Contact.id).where(Contact.name == "Rein"))
    client.post(f"/clients/{kask}/contacts/{rein}", data={"name": "Rein Kask"})
    assert "Rein Kask" in client.get(f"/clients/{kask}/contacts").text
    client.post(f"/clients/{kask}/contacts/{rein}/remove")
    assert "no longer a contact" in client.get(f"/clients/{kask}/contacts").text


MANAGED = ("edit", "active", "contacts/new", "contacts/1", "contacts/1/remove", "delete")


@pytest.mark.parametrize("act", MANAGED)
def test_a_member_who_tries_to_manage_is_told_in_a_sentence(signed_in, kask, act):
    answer = signed_in("member").post(f"/clients/{kask}/{act}")
    assert answer.status_code == 403 and "Your role in this company" in answer.text


@pytest.mark.parametrize("act", MANAGED)
def test_another_companys_client_is_not_there(signed_in, firm, kask, act):
    client = signed_in("stranger")
    assert client.post(f"/clients/{kask}/{act}", data={"name": "Mine now", "active": "0"}).status_code == 404
    with company_scope(firm.id):
        kept = db.session.get(Client, kask)
        assert kept.name.startswith("Kask") and kept.active


@pytest.mark.parametrize("tab", ["", "/contacts", "/tasks", "/integrations", "/edit", "/delete", "/contacts/1"])
def test_another_companys_client_cannot_be_read(signed_in, kask, tab):
    assert signed_in("stranger").get(f"/clients/{kask}{tab}").status_code == 404


def test_the_stranger_finds_none_of_ours(signed_in, kask):
    assert "Kask" not in signed_in("stranger").get("/clients?q=kask&state=all", headers=PART).text


def test_odd_addresses_are_taken_as_not_given(signed_in, kask):
    odd = "/clients?page=x&size=7&sort=evil&member=-1&group=1e9&state=?&integration=zzz"
    assert "Kask" in signed_in("member").get(odd).text


def test_no_client_is_lost_in_paging(signed_in, firm, connected):
    many(firm, 60)
    client = signed_in("member")
    pages = [client.get(f"/clients?size=25&page={n}", headers=PART).text for n in (1, 2, 3)]
    assert [page.count("<tr>") - 1 for page in pages] == [25, 25, 11]
    with company_scope(firm.id):
        assert db.session.scalar(select(func.count()).select_from(Client)) == 61
