"""Runs on the screen: everybody reads them, managers cancel and start again."""

import re
from contextvars import Context

import pytest

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Client, Run, RunCall, RunEvent, RunItem
from uku_web.tenancy import company_scope
from uku_web.vendors import registry
from uku_web.views import runs as view

KIND = registry.kinds()[0]
PART = {"HX-Request": "true"}


def make(firm, **values) -> int:
    values = {"what": "statistics", "kind": KIND, "trigger": "reload", "title": "Reload data: Kask"} | values
    with company_scope(firm.id):
        run = Run(**{"active_key": f"key:{values['title']}"} | values)
        db.session.add(run)
        db.session.commit()
        return run.id


def change(firm, run_id: int, **values) -> None:
    with company_scope(firm.id):
        run = db.session.get(Run, run_id)
        for name, value in values.items():
            setattr(run, name, value)
        db.session.commit()


@pytest.fixture
def ended(firm) -> int:
    """A run that ended with one client skipped, its steps and requests written down."""
    moment = now()
    times = {"created_at": moment, "started_at": moment, "ended_at": moment}
    run_id = make(firm, state="doubt", outcome="Zero where there used to be something.", counts={"done": 1}, **times)
    with company_scope(firm.id):
        client = Client(name="Kask")
        db.session.add(client)
        db.session.flush()
        item = RunItem(run_id=run_id, client_id=client.id, state="skipped", reason="Not linked.", written=12)
        call = RunCall(
            run_id=run_id, method="POST", path="/v1/getinvoices", status=503, ms=120, attempt=2, note="again"
        )
        db.session.add_all([item, call, RunEvent(run_id=run_id, text="Read March.", level="warn")])
        db.session.commit()
    return run_id


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    rings: list[int] = []
    monkeypatch.setattr(view, "ring", rings.append)
    return rings


def test_an_empty_list_says_where_runs_come_from(signed_in):
    page = signed_in("member").get("/runs").text
    assert "No runs yet" in page and "Reload data" in page


def test_the_list_filters_by_vendor_state_trigger_and_person(signed_in, firm, ended):
    make(firm, title="Import of March", trigger="import")
    make(firm, title="My reload", person_id=firm.people["member"], state="failed")
    client = signed_in("member")

    def shown(query: str) -> set[str]:
        part = client.get(f"/runs?{query}", headers=PART).text
        return {title for title in ("Reload data: Kask", "Import of March", "My reload") if title in part}

    assert len(shown("")) == 3
    assert shown("state=doubt") == {"Reload data: Kask"}
    assert shown("state=active") == {"Import of March"}
    assert shown("trigger=import") == {"Import of March"}
    assert shown("mine=1") == {"My reload"}
    assert len(shown(f"kind={KIND}")) == 3
    assert len(shown("kind=none&state=odd&trigger=odd")) == 3


def test_a_run_tells_outcome_steps_clients_and_requests(signed_in, ended):
    client = signed_in("member")
    expected = {
        "steps": ("Read March.", "Zero where there used to be something.", "Done with doubt", "Clients done"),
        "clients": ("Kask", "Skipped", "Not linked.", "12"),
        "requests": ("POST /v1/getinvoices", "503", "120", "again"),
    }
    for part, texts in expected.items():
        page = client.get(f"/runs/{ended}?show={part}").text
        assert all(text in page for text in texts), part
        alone = client.get(f"/runs/{ended}?show={part}", headers=PART).text
        assert "<html" not in alone and texts[0] in alone


def test_progress_is_silent_while_nothing_changes_and_stops_asking_at_the_end(signed_in, firm):
    run_id = make(firm, state="running", progress=3, total=12, doing="Reading March")
    client = signed_in("member")
    part = client.get(f"/runs/{run_id}/progress", headers=PART)
    assert "3 of 12" in part.text and "Reading March" in part.text and "hx-trigger" in part.text
    assert part.headers["HX-Trigger-After-Settle"] == "run-changed"
    poll = re.search(r'hx-get="([^"]+)"', part.text)[1]
    assert client.get(poll, headers=PART).status_code == 204
    change(firm, run_id, progress=4)
    moved = client.get(poll, headers=PART)
    assert "4 of 12" in moved.text
    poll = re.search(r'hx-get="([^"]+)"', moved.text)[1]
    assert client.get(poll, headers=PART).status_code == 204
    change(firm, run_id, state="done", outcome="12 values written.", ended_at=now())
    over = client.get(poll, headers=PART)
    assert "12 values written." in over.text and "hx-trigger" not in over.text


def test_a_step_or_a_part_that_moves_is_news(signed_in, firm):
    run_id = make(firm, state="waiting")
    child = make(firm, title="Part", parent_id=run_id)
    client = signed_in("member")

    def poll() -> str:
        return re.search(r'hx-get="([^"]+)"', client.get(f"/runs/{run_id}/progress", headers=PART).text)[1]

    seen = poll()
    change(firm, child, state="running", progress=1)
    assert client.get(seen, headers=PART).status_code == 200
    seen = poll()
    with company_scope(firm.id):
        db.session.add(RunEvent(run_id=run_id, text="A step"))
        db.session.commit()
    assert client.get(seen, headers=PART).status_code == 200


def test_the_poll_that_finds_nothing_new_takes_few_statements(signed_in, firm, count_sql):
    run_id = make(firm, state="running")
    client = signed_in("member")
    poll = re.search(r'hx-get="([^"]+)"', client.get(f"/runs/{run_id}/progress", headers=PART).text)[1]
    with count_sql() as sent:
        assert Context().run(client.get, poll, headers=PART).status_code == 204
    assert len(sent) <= 4


def test_the_progress_address_without_htmx_leads_to_the_page(signed_in, ended):
    assert signed_in("member").get(f"/runs/{ended}/progress").location == f"/runs/{ended}"


def test_a_manager_cancels_a_run(signed_in, firm):
    run_id = make(firm)
    client = signed_in("admin")
    assert "Cancel run" in client.get(f"/runs/{run_id}").text
    client.post(f"/runs/{run_id}/cancel")
    page = client.get(f"/runs/{run_id}").text
    assert "Cancelled before it was done." in page and "Start again" in page
    assert "has ended already" in client.post(f"/runs/{run_id}/cancel", follow_redirects=True).text


def test_a_running_run_stops_at_its_next_safe_place(signed_in, firm):
    run_id = make(firm, state="running")
    client = signed_in("admin")
    client.post(f"/runs/{run_id}/cancel")
    page = client.get(f"/runs/{run_id}").text
    assert "Stopping" in page and "Cancel run" not in page


def test_starting_again_opens_a_new_run_and_rings_for_it(signed_in, firm, ended, rung):
    client = signed_in("owner")
    answer = client.post(f"/runs/{ended}/again")
    again = int(answer.location.rsplit("/", 1)[1])
    assert again != ended and rung == [again]
    assert "Owner" in client.get(answer.location).text
    assert client.post(f"/runs/{ended}/again").location == answer.location  # a second click opens the running one


def test_members_read_and_do_not_steer(signed_in, firm, ended, rung):
    client = signed_in("member")
    assert "Start again" not in client.get(f"/runs/{ended}").text
    for act in ("cancel", "again"):
        assert client.post(f"/runs/{ended}/{act}").status_code == 403
    assert rung == []


def test_a_part_names_its_whole_and_starts_again_only_with_it(signed_in, firm, ended, rung):
    child = make(firm, title="Part", parent_id=ended, state="failed")
    client = signed_in("owner")
    assert f"part of run {ended}" in client.get(f"/runs/{child}").text
    assert "Part" in client.get(f"/runs/{ended}").text
    assert "Part" not in client.get("/runs", headers=PART).text
    assert client.post(f"/runs/{child}/again").status_code == 404 and rung == []


def test_another_companys_run_is_not_there(signed_in, firm, ended, rung):
    client = signed_in("stranger")
    for address in ("", "?show=requests", "/progress", "/progress?v=00000000"):
        assert client.get(f"/runs/{ended}{address}", headers=PART).status_code == 404
    for act in ("cancel", "again"):
        assert client.post(f"/runs/{ended}/{act}").status_code == 404
    assert "Kask" not in client.get("/runs").text and rung == []


def test_the_list_takes_the_same_few_statements_for_few_and_many(signed_in, firm, count_sql):
    make(firm, title="One", state="done", person_id=firm.people["admin"])
    client = signed_in("member")

    def statements() -> int:
        with count_sql() as sent:
            Context().run(client.get, "/runs")
        return len(sent)

    few = statements()
    for n in range(40):
        make(firm, title=f"Run {n}", state="done", person_id=firm.people["owner"])
    assert statements() == few <= 12
