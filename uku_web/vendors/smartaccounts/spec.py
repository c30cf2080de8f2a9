"""The declaration of SmartAccounts."""

from uku_web.vendors.spec import (
    Auth,
    BucketKey,
    Budget,
    Direction,
    Field,
    Mark,
    Replay,
    SecretPlaces,
    StatField,
    Sync,
    Variant,
    VendorSpec,
)

# The language of messages stands in the paths of calls ("/en/api/..."), so nothing of it stands here.
ESTONIA = Variant("ee", "Estonia", {"api": "https://sa.smartaccounts.eu"})

NO_SPACES = r"[\x21-\x7e]+"  # the form of a key is not documented, so only this is checked

CREDENTIALS = (
    Field(
        "api_key",
        "API key",
        pattern=NO_SPACES,
        pattern_error="An API key has no spaces or accented letters. Copy it from SmartAccounts again.",
        hint="Names the company at SmartAccounts.",
        help_anchor="api-key",
    ),
    Field(
        "api_secret",
        "API secret",
        secret=True,
        pattern=NO_SPACES,
        pattern_error="An API secret has no spaces or accented letters. Copy it from SmartAccounts again.",
        hint="Shown once, when it is made.",
        help_anchor="api-secret",
    ),
)

OPTIONS = (
    Field(
        "article_code",
        "Article for invoice rows",
        required=False,
        pattern=r"\S(.{0,48}\S)?",
        pattern_error="An article code has at most 50 characters.",
        hint="The code of an article in SmartAccounts. Every invoice row needs one; this is used where a row has none.",
        help_anchor="article-code",
    ),
)

SYNCS = (
    Sync("VAT types", Direction.IN, "Used when sending invoices to SmartAccounts; read daily."),
    Sync("Work statistics", Direction.IN, "Sale, purchase and bank entries and documents, for monthly summary tasks."),
    Sync("Invoices", Direction.OUT, "Your issued invoices and credit notes. They arrive as booked."),
    Sync("Invoice paid status", Direction.IN, "Paid amounts and dates of the invoices sent, hourly."),
)

STATISTICS = (
    StatField("sale_entries", "Sale entries", "Sales invoices of the month, credit notes included."),
    StatField("purchase_entries", "Purchase entries", "Purchase invoices of the month, credit notes included."),
    StatField("bank_entries", "Bank entries", "Payments in and out of bank accounts in the month."),
    StatField(
        "documents",
        "Documents",
        "All other accounting documents of the month: neither sales nor purchase invoices nor bank payments.",
    ),
    StatField("cash_payments", "Cash payments", "Payments in and out of cash desks in the month.", more=True),
    StatField("ledger_entries", "Ledger entries", "Entries of the month that were made by hand.", more=True),
    StatField("vat_returns", "VAT returns", "VAT returns entered in the month.", more=True),
    StatField("warehouse_movements", "Warehouse movements", "Movements of stock in the month.", more=True),
    StatField("depreciation", "Depreciation", "Depreciation entries of the month, one for each period.", more=True),
    StatField("salaries", "Salaries", "Salary entries of the month, one for each period.", more=True),
)

# Documented: 60 a minute and 1000 in 24 hours for a company. Whether the day ends at midnight is not said: counting
# any 24 hours keeps both. No header tells what is left, and refusals seldom say until when: the pauses after refusals
# in a row grow by themselves up to the widest window, which after a few is the rest of the day.
BUDGETS = (
    Budget("minute", BucketKey.TENANT, 60, window=60.0, concurrency=4),
    Budget("day", BucketKey.TENANT, 1000, window=86400.0),
)

SPEC = VendorSpec(
    kind="smartaccounts",
    label="SmartAccounts",
    aliases=("Smart Accounts",),
    regions=("EE",),
    auth=Auth.SIGNED_KEY,
    variants=(ESTONIA,),
    credentials=CREDENTIALS,
    options=OPTIONS,
    syncs=SYNCS,
    statistics=STATISTICS,
    budgets=BUDGETS,
    mark=Mark("SA", 2),
    summary="Web-based accounting software for small companies in Estonia.",
    rights="An administrator of the company in SmartAccounts, who may make API credentials.",
    where_credentials="Settings → Connected services",
    # The key opens nothing without the secret, yet it names a company: no log needs it.
    secret_places=SecretPlaces(query=("signature", "apikey")),
    replay=Replay.SEARCH,
    tells_name=False,  # only where an e-invoice can be had, so it is asked for; what the test tells goes before it
    shares_pairs=True,
    likely_causes=(
        "The API key or API secret has leading or trailing whitespace. Copy it again from SmartAccounts.",
        "The secret was lost: SmartAccounts shows it only once. Make a new pair and paste both values.",
        "The credentials were revoked in SmartAccounts. Make a new pair and paste both values.",
    ),
    removal="In SmartAccounts open Settings → Connected services and delete the API key.",
    docs_url="https://www.smartaccounts.eu/et/abimaterjalid-ja-klienditugi/liidetud-teenused/api/",
)
