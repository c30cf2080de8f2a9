import pytest


def test_switches_are_listed_and_removed(http, switch):
    first = switch("break", variant="ee", times=3)
    switch("slow", value=20)
    listed = http.get("/_control/switches").get_json()
    assert [(s["fault"], s["variant"], s["remaining"], s["value"]) for s in listed["switches"]] == [
        ("break", "ee", 3, None),
        ("slow", "*", None, "20"),
    ]
    assert "lost" in listed["faults"]
    assert http.delete(f"/_control/switches/{first}").status_code == 204
    assert http.delete(f"/_control/switches/{first}").status_code == 404
    assert http.delete("/_control/switches").status_code == 204
    assert http.get("/_control/switches").get_json()["switches"] == []


@pytest.mark.parametrize(
    "wanted",
    [{}, [], {"fault": "unknown"}, {"fault": "slow"}, {"fault": "break", "value": "x"}, {"fault": "break", "times": 0}],
)
def test_a_wrong_switch_is_explained(http, wanted):
    response = http.post("/_control/switches", json=wanted)
    assert response.status_code == 400 and response.get_json()["error"]


def test_received_requests_are_counted_and_listed(http, merit, caller, switch):
    merit.get("v1/gettaxes")
    caller("fi").get("v1/getitems")
    switch("break", times=1)
    merit.post("v1/gettaxes")
    seen = http.get("/_control/requests").get_json()
    assert seen["total"] == 3
    assert seen["counters"]["variant"] == {"ee": 2, "fi": 1}
    assert seen["counters"]["status"] == {"200": 2, "500": 1}
    assert seen["counters"]["path"]["/merit/ee/api/v1/gettaxes"] == 2
    last = seen["requests"][-1]
    assert (last["account"], last["method"], last["fault"]) == (merit.api_id, "POST", "break")
    assert last["at"].startswith("2026-03-18T10:30")
    only = http.get("/_control/requests?variant=fi").get_json()
    assert only["total"] == 1
    assert len(http.get("/_control/requests?limit=1").get_json()["requests"]) == 1
    assert http.delete("/_control/requests").status_code == 204
    assert http.get("/_control/requests").get_json()["total"] == 0


def test_the_log_holds_no_signature(http, merit):
    merit.get("v1/gettaxes")
    assert "signature" not in http.get("/_control/requests").text


def test_control_calls_are_neither_logged_nor_broken(http, switch):
    switch("break")
    assert http.get("/_control/requests").get_json()["total"] == 0


def test_accounts_come_with_their_credentials(http, clients):
    accounts = http.get("/_control/accounts").get_json()["accounts"]
    assert len(accounts) == len(clients)
    assert set(accounts[0]["credentials"]) == {"api_id", "api_key", "country"}


def test_the_page_switches_on_and_off_without_script(http, merit):
    answer = http.post("/switches", data={"fault": "break", "vendor": "merit", "variant": "ee", "action": "on"})
    assert (answer.status_code, answer.location) == (303, "/switches")
    assert merit.post("v1/gettaxes").status_code == 500
    page = http.get("/").text
    assert "Faults on" in page and 'name="id" value="1"' in page and "<script" not in page
    http.post("/switches", data={"action": "off", "id": "1"})
    assert merit.post("v1/gettaxes").status_code == 200
    http.post("/switches", data={"action": "reset"})
    assert "Nothing received yet." in http.get("/switches").text


def test_the_page_explains_a_wrong_switch(http):
    answer = http.post("/switches", data={"fault": "slow", "value": "soon", "action": "on"})
    assert answer.status_code == 400 and "whole number" in answer.text and 'value="soon"' in answer.text
