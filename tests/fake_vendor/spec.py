"""A vendor for tests: one field for whole books and customers, one for whole books alone."""

from uku_web.vendors.spec import (
    Auth,
    BucketKey,
    Budget,
    Direction,
    Field,
    Mark,
    StatField,
    Sync,
    Variant,
    VendorSpec,
)

SPEC = VendorSpec(
    kind="fake",
    label="Fake Books",
    regions=("EE",),
    auth=Auth.API_KEY,
    variants=(Variant("one", "One", {"api": "https://one.fake.test"}),),
    credentials=(Field("key", "Key", secret=True),),
    syncs=(Sync("Work statistics", Direction.IN),),
    statistics=(
        StatField("documents", "Documents", "All documents.", customer=True),
        StatField("entries", "Entries", "All entries."),
    ),
    budgets=(Budget("minute", BucketKey.TENANT, 60),),
    mark=Mark("FB", 1),
    summary="For tests.",
    rights="none",
)
