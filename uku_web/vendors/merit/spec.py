"""The declaration of Merit Aktiva."""

from uku_web.vendors.retry import header_reader
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

# One path holds both API versions; only v1 is used.
ESTONIA = Variant("ee", "Estonia", {"api": "https://aktiva.merit.ee/api"})
# Finland's service was renamed. Which name answers is told by trying; the newer goes first.
FINLAND = Variant(
    "fi",
    "Finland",
    {"api": "https://app.passelimerit.fi/api"},
    older_hosts=("https://aktiva.meritaktiva.fi/api",),
)
POLAND = Variant("pl", "Poland", {"api": "https://program.360ksiegowosc.pl/api"})
VARIANTS = (ESTONIA, FINLAND, POLAND)

NO_SPACES = r"[\x21-\x7e]+"  # the form of an ID is not documented beyond what pages show, so only this is checked

CREDENTIALS = (
    Field(
        "api_id",
        "API ID",
        pattern=NO_SPACES,
        pattern_error="An API ID has no spaces or accented letters. Copy it from Merit Aktiva again.",
        hint="Names your company at Merit Aktiva.",
        help_anchor="api-id",
    ),
    Field(
        "api_key",
        "API key",
        secret=True,
        pattern=NO_SPACES,
        pattern_error="An API key has no spaces or accented letters. Copy it from Merit Aktiva again.",
        hint="Shown once, when it is made.",
        help_anchor="api-key",
    ),
    Field(
        "country",
        "Country",
        kind="choice",
        choices=tuple((variant.key, variant.label) for variant in VARIANTS),
        hint="Each country is a service of its own; keys do not cross over.",
        help_anchor="country",
    ),
)

OPTIONS = (
    Field(
        "item_code",
        "Item for rows without an article",
        required=False,
        pattern=r".{1,20}",
        pattern_error="An item code has at most 20 characters.",
        hint="The code of a Merit Aktiva item. While it is blank, an invoice row needs an article of its own.",
        help_anchor="item-code",
    ),
)

SYNCS = (
    Sync("Tax rates", Direction.IN, "Those in use at Merit Aktiva, daily."),
    Sync("Products", Direction.IN, "Items with price, unit and tax, daily."),
    Sync("Work statistics", Direction.IN, "Monthly counts of the whole books, for summary tasks."),
    Sync("Invoices", Direction.OUT, "Your issued invoices and credit notes. They arrive as booked."),
    Sync("Invoice paid status", Direction.IN, "Paid amounts and dates of the invoices sent, hourly."),
)

STATISTICS = (
    StatField("documents", "Documents", "Every ledger transaction (batch) dated in the month counts as one document."),
    StatField("entries", "Entries", "Every line of the month's ledger transactions counts as one entry."),
    StatField("vat_entries", "VAT entries", "Every line of the month's ledger transactions that carries a tax rate."),
    StatField(
        "sales_invoices",
        "Sales invoices",
        "Sales invoices dated in the month, credit notes included.",
        more=True,
    ),
    StatField(
        "purchase_invoices",
        "Purchase invoices",
        "Booked purchase invoices dated in the month, without those still waiting for approval.",
        more=True,
    ),
    StatField(
        "income",
        "Income",
        "The net sum of the month's sales invoices in the books' currency; unknown if one is in another currency.",
        more=True,
        money=True,
    ),
    StatField(
        "expenses",
        "Expenses",
        "The net sum of the month's purchase invoices in the books' currency; unknown if one is in another currency.",
        more=True,
        money=True,
    ),
)

# https://api.merit.ee/connecting-robots/reference-manual/rate-limiter/ says 60 a minute; 100 was seen, and the headers
# may teach it. The unit of the reset is not said; an epoch is assumed, and a small number is taken for seconds left.
# Nothing is said about calls at once: four keep a year's walk short and are no burden.
MINUTE = Budget(
    name="minute",
    key=BucketKey.TENANT,
    limit=60,
    window=60.0,
    concurrency=4,
    read=header_reader(limit="X-RateLimit-Limit", remaining="X-RateLimit-Remaining", reset="X-RateLimit-Reset"),
)

SPEC = VendorSpec(
    kind="merit",
    label="Merit Aktiva",
    aliases=("360 Księgowość", "Passeli Merit"),
    regions=("EE", "FI", "PL"),
    auth=Auth.SIGNED_KEY,
    variants=VARIANTS,
    variant_field="country",
    variant_noun="Country",
    credentials=CREDENTIALS,
    options=OPTIONS,
    syncs=SYNCS,
    statistics=STATISTICS,
    budgets=(MINUTE,),
    mark=Mark("M", 5),
    summary="Accounting software for small companies in Estonia, Finland and Poland.",
    rights="An admin of the company in Merit Aktiva; the company needs a PRO or PREMIUM licence.",
    where_credentials="Company settings → Integrations",
    # Some companies' services let a wrong signature pass, which makes the API ID alone worth hiding in logs.
    secret_places=SecretPlaces(query=("signature", "ApiId")),
    # There is no key that makes a create repeatable, and whether a number may come again another year is unknown.
    replay=Replay.SEARCH,
    tells_name=False,
    variants_exclusive=True,
    likely_causes=(
        "The API ID or the API key was copied with a space before or after it.",
        "Another country is chosen than the one the keys were made in.",
        "The keys were deleted or replaced in Merit Aktiva.",
        "The company has no PRO or PREMIUM licence.",
    ),
    removal="In Merit Aktiva open Company settings → Integrations and delete the API key.",
    docs_url="https://api.merit.ee/connecting-robots/reference-manual/",
)
