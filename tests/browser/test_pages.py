"""Every page, wide and narrow, light and dark: readable by assistive technology, nothing cut off, no errors."""

import pytest
from playwright.sync_api import Page, expect

SHAPES = [
    pytest.param(1280, "light", id="1280-light"),
    pytest.param(390, "dark", id="390-dark"),
    pytest.param(320, "light", id="320-light"),
]
PAGES = [
    "/clients",
    "/clients?q=zzzz",
    "/clients/new",
    "/clients/1",
    "/clients/1/contacts",
    "/clients/1/tasks",
    "/clients/1/integrations",
    "/clients/1/integration",
    "/tasks",
    "/tasks/new",
    "/runs",
    "/notices",
    "/settings",
    "/settings/merit",
    "/settings/merit/connect",
    "/settings/merit/settings",
    "/settings/merit/reload",
    "/settings/merit/manual",
    "/settings/task-fields",
    "/settings/topics",
    "/settings/audit",
    "/companies/new",
    "/clients/999999",
]


def violations(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found]


def overflow(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize(("width", "scheme"), SHAPES)
def test_pages_are_accessible_and_fit(open_page, width, scheme):
    page = open_page("owner", width=width, scheme=scheme)
    wrong = []
    for path in PAGES:
        answer = page.goto(path)
        assert answer.status == (404 if "999999" in path else 200), f"{path}: {answer.status}"
        expect(page.get_by_role("heading").first).to_be_visible()
        wrong += [f"{path}: {text}" for text in violations(page)]
        if overflow(page) > 0:
            wrong.append(f"{path}: {overflow(page)} px cut off")
    open_page.troubles[:] = [text for text in open_page.troubles if "404" not in text]
    assert wrong == []


def test_sign_in_is_accessible_and_says_what_was_wrong(open_page):
    page = open_page(None)
    page.goto("/sign-in")
    assert violations(page) == []
    page.get_by_label("E-mail").fill("nobody@demo.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").or_(page.locator(".error-summary")).first).to_be_visible()
    assert violations(page) == []


def test_a_member_sees_the_integration_as_text_and_no_settings(open_page):
    page = open_page("member")
    expect(page.get_by_role("link", name="Settings & Apps")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Integration")).to_be_visible()
    expect(page.get_by_role("link", name="Connect", exact=True)).to_have_count(0)
    answer = page.goto("/settings/merit")
    assert answer.status == 403
    expect(page.get_by_role("main")).to_contain_text("Company Owner")
    open_page.troubles[:] = [text for text in open_page.troubles if "403" not in text]


def test_a_dialog_opens_and_closes_by_keyboard_and_focus_returns(open_page):
    page = open_page("owner")
    page.goto("/settings")
    opener = page.get_by_role("link", name="Merit Aktiva")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.wait_for_url("**/settings/merit")
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.wait_for_url("**/settings")
    expect(opener).to_be_focused()


def test_without_script_links_and_forms_still_work(chromium, demo):
    context = chromium.new_context(base_url=demo.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill("admin@demo.example")
    page.get_by_label("Password").fill("uku demo firm")
    page.get_by_role("button", name="Sign in").click()
    page.goto("/settings")
    page.get_by_role("link", name="Merit Aktiva").click()
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_label("Task title").fill("Counts of {month} {year}")
    page.get_by_role("button", name="Save").locator("visible=true").click()
    expect(page.get_by_role("main")).to_contain_text("Saved")
    expect(page.get_by_label("Task title")).to_have_value("Counts of {month} {year}")
    context.close()
