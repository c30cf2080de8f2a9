import json

import pytest
from waitress.channel import ClientDisconnected


def test_server_error_for_the_next_two_requests(merit, switch):
    switch("break", vendor="merit", times=2)
    assert [merit.post("v1/gettaxes").status_code for _ in range(3)] == [500, 500, 200]


def test_server_error_of_another_status(merit, switch):
    switch("break", value=503)
    assert merit.post("v1/gettaxes").status_code == 503


def test_html_page(merit, switch):
    switch("html", times=1)
    response = merit.post("v1/gettaxes")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert merit.get("v1/gettaxes")


def test_stack_trace_with_200(merit, switch):
    switch("trace", times=1)
    response = merit.post("v1/gettaxes")
    assert response.status_code == 200 and "Exception" in response.text


def test_cut_json(merit, switch):
    switch("cut", times=1)
    with pytest.raises(json.JSONDecodeError):
        json.loads(merit.post("v1/gettaxes").text)
    assert merit.get("v1/gettaxes")


def test_json_in_a_json_string(merit, switch):
    plain = merit.get("v1/gettaxes")
    switch("twice")
    assert json.loads(merit.get("v1/gettaxes")) == plain


def test_slow_takes_its_time(merit, switch, clock):
    switch("slow", value=1500)
    before = clock.now()
    merit.raw("v1/gettaxes")
    assert (clock.now() - before).total_seconds() == 1.5


def test_lost_answer_was_processed(merit, switch):
    switch("lost", path="sendcustomer", times=1)
    wanted = {"Name": "Kadunud OÜ", "CountryCode": "EE", "NotTDCustomer": False}
    with pytest.raises(ClientDisconnected):
        merit.post("v2/sendcustomer", wanted)
    assert merit.get("v1/getcustomers", {"Name": "Kadunud OÜ"})


@pytest.mark.parametrize("fault", ["close", "hang"])
def test_closed_connection_was_not_processed(merit, switch, fault):
    switch(fault, path="sendcustomer", times=1, value="2" if fault == "hang" else "")
    wanted = {"Name": "Kadunud OÜ", "CountryCode": "EE", "NotTDCustomer": False}
    with pytest.raises(ClientDisconnected):
        merit.post("v2/sendcustomer", wanted)
    assert merit.get("v1/getcustomers", {"Name": "Kadunud OÜ"}) == []


def test_a_switch_concerns_only_what_it_names(merit, caller, switch):
    switch("break", variant="fi")
    switch("break", account=caller("ee", "small").api_id.upper())
    switch("break", path="getitems")
    assert merit.post("v1/gettaxes").status_code == 200
    assert merit.post("v1/GetItems").status_code == 500
    assert caller("fi").post("v1/gettaxes").status_code == 500
    assert caller("ee", "small").post("v1/gettaxes").status_code == 500
