"""Ticking clients, running a month for them, and reading the outcome."""

import re

import pytest
from playwright.sync_api import Page, expect


def tick(page: Page, name: str) -> None:
    page.get_by_role("checkbox", name=f"Select {name}").check()


def open_dialog(page: Page):
    page.get_by_text("Bulk actions").click()
    page.get_by_role("button", name="Integration", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Run integration")).to_be_visible()
    return dialog


def names(page: Page) -> list[str]:
    return page.locator("#client-selection tbody th a").all_text_contents()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_some_clients_are_run_and_each_is_told_apart(open_page, width, scheme):
    page = open_page("owner", width=width, scheme=scheme)
    page.goto("/clients?integration=connected")
    linked = names(page)[0]
    page.goto("/clients?integration=none")
    unlinked = names(page)[0]
    page.goto("/clients?size=200")
    tick(page, linked)
    tick(page, unlinked)
    expect(page.locator("[data-selected-count]")).to_have_text("2")
    dialog = open_dialog(page)
    expect(dialog).to_contain_text("2 clients")
    expect(dialog).to_contain_text("1 of the chosen clients has no live")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dialog.get_by_label("Period").select_option(index=3)
    month = dialog.get_by_label("Period").locator("option:checked").text_content()
    dialog.get_by_role("button", name="Run").click()
    expect(dialog).to_contain_text(f"Run integration: {month}")
    expect(page).to_have_url(re.compile(r"/clients/run-integration/\d+$"))
    expect(dialog).to_contain_text("1 client done, 1 skipped.", timeout=40_000)
    dialog.get_by_role("link", name="Open the run").click()
    page.get_by_role("link", name="Clients", exact=True).last.click()
    told = page.get_by_role("region", name="Clients of this run")
    row = told.get_by_role("row", name=re.compile(re.escape(unlinked)))
    expect(row).to_contain_text("Skipped")
    expect(row).to_contain_text(re.compile(r"Has no .* link\."))
    expect(told.get_by_role("row", name=re.compile(re.escape(linked)))).to_contain_text("Done")
    page.goto("/notices")
    expect(page.get_by_role("main")).to_contain_text("1 client done, 1 skipped.")


@pytest.mark.parametrize("width", [1280, 390])
def test_all_that_match_are_chosen_and_closing_the_dialog_keeps_the_choice(open_page, width):
    page = open_page("admin", width=width)
    page.goto("/clients?size=25")
    tick(page, names(page)[0])
    page.get_by_role("checkbox", name="All 25 on this page").check()
    every = page.get_by_role("checkbox", name=re.compile("that match"))
    every.check()
    total = page.locator("[data-selected-count]").text_content()
    assert int(total) > 25
    dialog = open_dialog(page)
    expect(dialog).to_contain_text(f"{total} clients")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/clients\?size=25$"))
    expect(every).to_be_checked()
    expect(page.locator("[data-selected-count]")).to_have_text(total)
    assert page.evaluate("document.activeElement.getAttribute('id')") == "client-selection"
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Bulk actions")).to_be_hidden()


def test_the_dialog_works_at_its_own_address(open_page):
    page = open_page("admin")
    page.goto("/clients/run-integration?all_matching=1&integration=connected")
    expect(page.get_by_role("heading", name="Run integration")).to_be_visible()
    page.get_by_role("button", name="Run").click()
    expect(page).to_have_url(re.compile(r"/clients/run-integration/\d+$"))
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"\d+ clients done, \d+ skipped"), timeout=60_000)


def test_members_cannot_tick(open_page):
    page = open_page("member")
    page.goto("/clients")
    expect(page.get_by_role("checkbox")).to_have_count(0)
