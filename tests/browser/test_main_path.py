"""The main job, from an empty firm to a client's counted month, as a person does it."""

import re

from playwright.sync_api import Page, expect


def field(page: Page, label: str):
    return page.get_by_label(label, exact=True)


def new_company(page: Page, name: str) -> None:
    page.goto("/companies/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name=re.compile("Create|Save")).click()
    page.wait_for_url(lambda url: "/companies/new" not in url)
    expect(page.get_by_role("banner")).to_contain_text(name)


def test_from_an_empty_firm_to_a_counted_month(demo, open_page):
    page = open_page("owner")
    new_company(page, "Browser Test OÜ")

    # The master switch, then the vendor.
    page.goto("/settings")
    page.get_by_role("button", name=re.compile("Enable|Turn on")).first.click()
    page.get_by_role("link", name="Merit Aktiva").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("What syncs")
    dialog.get_by_role("button", name="Enable").click()
    expect(dialog.get_by_role("button", name="Disable")).to_be_visible()

    # Summary tasks and data fields, with topic and field made in place.
    dialog.get_by_role("link", name="Settings", exact=True).click()
    dialog.get_by_label("Task title").fill("{vendor} {month} {year}")
    dialog.get_by_label("Topic", exact=True).select_option("new")
    dialog.get_by_label("Name of the new topic").fill("Summary")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Topic", exact=True).locator("option:checked")).to_have_text("Summary")
    expect(dialog.get_by_label("Task title")).to_have_value("{vendor} {month} {year}")
    dialog.get_by_label("Documents", exact=True).select_option("new")
    dialog.get_by_label("Name of the new field").locator("visible=true").fill("Documents counted")
    dialog.get_by_role("button", name="Create").locator("visible=true").click()
    chosen = dialog.get_by_label("Documents", exact=True).locator("option:checked")
    expect(chosen).to_have_text("Documents counted")
    dialog.get_by_role("button", name="Save").locator("visible=true").click()
    expect(dialog).to_contain_text(re.compile("saved", re.I))

    # A client, linked with pasted keys that have spaces around them.
    page.goto("/clients/new")
    page.get_by_label("Company's name").fill("Näidis OÜ")
    page.get_by_role("button", name="Save").click()
    page.goto("/clients")
    page.get_by_role("link", name=re.compile("Connect")).click()
    keys = demo.keys["merit-ee"]
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Integration configuration")).to_be_visible()
    dialog.get_by_label("Country").select_option("fi")
    dialog.get_by_label("API ID").fill(f"  {keys['api_id']} ")
    dialog.get_by_label("API key").fill(keys["api_key"])
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog).to_contain_text("Estonia")  # the right country is offered
    expect(dialog).to_contain_text(re.compile("spaces", re.I))
    dialog.get_by_label("Country").select_option("ee")
    dialog.get_by_label("API key").fill(keys["api_key"])
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog).to_contain_text("Connection successful!")
    dialog.get_by_label("API key").fill(keys["api_key"])
    dialog.get_by_label("Company name").fill("Näidis OÜ")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("button", name="Delete").or_(dialog.get_by_role("link", name="Delete"))).to_be_visible()

    # Reload, overwrite, watch, and be told.
    dialog.get_by_role("link", name="Reload data").click()
    expect(dialog).to_contain_text("12 months")
    dialog.get_by_role("button", name="Overwrite").click()
    expect(dialog).to_contain_text("12 values written", timeout=30_000)
    page.goto("/tasks")
    page.get_by_label("State").select_option(label="All")
    # The tick may have made the current month's task as well, which has no counts yet.
    expect(page.get_by_role("row").filter(has_text="Documents counted")).to_have_count(12)
    page.goto("/notices")
    expect(page.get_by_role("main")).to_contain_text("Reload data: Näidis OÜ")
