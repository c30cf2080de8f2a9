"""A vendor whose one pair of keys opens one company: connected once, then picked client by client."""

import json
import re
import urllib.request

from playwright.sync_api import expect

from tests.browser.test_main_path import new_company


def test_connect_map_pick_and_reload(demo, open_page):
    page = open_page("owner")
    new_company(page, "Second Vendor OÜ")
    page.goto("/settings")
    page.get_by_role("button", name=re.compile("Enable")).first.click()
    page.get_by_role("searchbox").fill("smart accounts")
    expect(page.get_by_role("link", name="Merit Aktiva")).to_have_count(0)
    page.get_by_role("link", name="SmartAccounts").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Enable").click()
    expect(dialog.get_by_role("button", name="Disable")).to_be_visible()
    expect(dialog).to_contain_text("not connected")

    # The company's own keys: the test tells the company's name.
    keys = demo.keys["smartaccounts"]
    dialog.get_by_role("link", name="Connect", exact=True).click()
    dialog.get_by_label("API key").fill(keys["api_key"])
    dialog.get_by_label("API secret").fill("notTheSecret")
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog).to_contain_text("Authentication error")
    expect(dialog).to_contain_text("only once")
    dialog.get_by_label("API secret").fill(keys["api_secret"])
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog).to_contain_text("Connection successful!")
    expect(dialog.get_by_label("Company name")).not_to_have_value("")
    dialog.get_by_role("button", name="Save").locator("visible=true").click()
    expect(dialog).to_contain_text("The connection is saved.")

    # Settings: the four fields, the rarer ones behind Show more.
    dialog.get_by_role("link", name="Settings", exact=True).click()
    for label in ("Sale entries", "Purchase entries", "Bank entries", "Documents"):
        expect(dialog.get_by_label(label, exact=True)).to_be_visible()
    expect(dialog.get_by_label("VAT returns", exact=True)).to_be_hidden()
    dialog.get_by_text("Show more").click()
    expect(dialog.get_by_label("VAT returns", exact=True)).to_be_visible()
    dialog.get_by_label("Task title").fill("Counts {month} {year}")
    dialog.get_by_label("Topic", exact=True).select_option("new")
    dialog.get_by_label("Name of the new topic").fill("Monthly")
    dialog.get_by_role("button", name="Create").locator("visible=true").click()
    expect(dialog.get_by_label("Topic", exact=True).locator("option:checked")).to_have_text("Monthly")
    for label in ("Sale entries", "Bank entries"):
        dialog.get_by_label(label, exact=True).select_option("new")
        dialog.get_by_label("Name of the new field").locator("visible=true").fill(label)
        dialog.get_by_role("button", name="Create").locator("visible=true").click()
        expect(dialog.get_by_label(label, exact=True).locator("option:checked")).to_have_text(label)
    dialog.get_by_label("Import data").select_option("following_day")
    dialog.get_by_label("Day", exact=True).select_option("10")
    dialog.get_by_role("button", name="Save").locator("visible=true").click()
    expect(dialog).to_contain_text("Saved")

    # A client picks from the companies that the saved keys reach.
    page.goto("/clients/new")
    page.get_by_label("Company's name").fill("Picked OÜ")
    page.get_by_role("button", name="Save").click()
    page.goto("/clients")
    page.get_by_role("link", name=re.compile("Connect")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("own books: ")).check()
    dialog.get_by_role("button", name="Save").locator("visible=true").click()
    expect(dialog).to_contain_text("The link is saved.")
    dialog.get_by_role("link", name="Reload data").click()
    dialog.get_by_role("button", name="Overwrite").click()
    expect(dialog).to_contain_text("values written", timeout=60_000)
    page.goto("/tasks?state=all")
    expect(page.get_by_role("main")).to_contain_text("Sale entries")
    page.goto("/settings/smartaccounts")
    expect(page.get_by_role("main")).to_contain_text("1 client linked")
    expect(page.get_by_role("main")).to_contain_text("2 fields mapped")

    # The wrong company was picked: other keys correct it, and what was written stays when the link is deleted.
    accounts = json.load(urllib.request.urlopen(f"{demo.stand_ins}/_control/accounts"))["accounts"]
    other = next(each["credentials"] for each in accounts if other_company(each, keys))
    page.goto("/clients")
    page.get_by_role("row").filter(has_text="Picked OÜ").get_by_role("link", name="SmartAccounts").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Credentials of this client's own books").check()
    dialog.get_by_label("API key").fill(other["api_key"])
    dialog.get_by_label("API secret").fill(other["api_secret"])
    dialog.get_by_role("button", name="Save").locator("visible=true").click()
    expect(dialog).to_contain_text("The connection is saved.")
    expect(dialog).to_contain_text("Reload data brings in the last 12 months now.")
    dialog.get_by_role("link", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    page.goto("/clients")
    row = page.get_by_role("row").filter(has_text="Picked OÜ")
    expect(row.get_by_role("link", name=re.compile("Connect"))).to_be_visible()
    page.goto("/tasks?state=all")
    expect(page.get_by_role("main")).to_contain_text("Sale entries")

    # The Integration app is the master switch.
    page.goto("/settings")
    page.get_by_role("button", name="Disable").first.click()
    page.goto("/clients")
    expect(page.get_by_role("columnheader", name="Integration")).to_have_count(0)


def other_company(account: dict, keys: dict) -> bool:
    given = account.get("credentials") or {}
    return "api_secret" in given and given["api_key"] != keys["api_key"]
