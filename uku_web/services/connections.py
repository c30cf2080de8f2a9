"""Credentials: testing and keeping what was pasted, trouble and disconnecting. Nothing here shows a secret.

No transaction is open while a vendor is asked; what follows from the answer is the caller's to commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from flask import current_app
from sqlalchemy import delete, select, update

from uku_web.clock import now
from uku_web.db import db
from uku_web.keyring import Unreadable
from uku_web.models import ACTIVE, Connection, ConnectionState, Level, Link, Run
from uku_web.services import audit, links, mapping, notices, runs
from uku_web.services.errors import Invalid, NotFound
from uku_web.services.vendor_setup import vendor_setup
from uku_web.texts import gettext as _
from uku_web.vendors import records, registry
from uku_web.vendors.access import open_connector
from uku_web.vendors.errors import BadSettings, NeedsReauth, NotPermitted, RateLimited, Temporary, VendorError
from uku_web.vendors.spec import Variant, VendorSpec

# Credentials that were saved beside the company's connection: for another account, until a person chooses, or not
# verified yet. They serve nothing, so what works is never overwritten by them.
CANDIDATE = "candidate"


@dataclass(frozen=True)
class TestOutcome:
    """What a test, or the saving after it, came to. `title` and `sentence` are for the person."""

    ok: bool
    title: str
    sentence: str = ""
    field: str | None = None  # the credential field to look at
    tested: records.Tested | None = None
    causes: tuple[str, ...] = ()
    other_variant: Variant | None = None  # these credentials are good there
    trimmed: tuple[str, ...] = ()  # labels of the fields that had spaces around
    error: VendorError | None = None
    kept: str = ""  # "saved", "unverified", or "choose": another account than the connected one answered

    @property
    def account(self) -> records.Account | None:
        return self.tested.account if self.tested else None

    @property
    def unreachable(self) -> bool:
        return isinstance(self.error, (Temporary, RateLimited))


def read_form(
    spec: VendorSpec, form: Mapping[str, str], stored: Mapping[str, str] | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The declared credentials, trimmed, and the labels of those that needed it. What is blank stays as stored.

    Raises Invalid, or BadSettings with a suggestion.
    """
    return mapping.read_fields(spec.credentials, form, stored)


def trimmed_sentence(labels: tuple[str, ...]) -> str:
    """Such as "Spaces around API key were removed."; empty when there were none."""
    return _("Spaces around %(fields)s were removed.", fields=_(" and ").join(labels)) if labels else ""


def test(
    kind: str, values: Mapping[str, str], *, trimmed: tuple[str, ...] = (), connection: Connection | None = None
) -> TestOutcome:
    """Ask the vendor. Commits first. A test of what is stored in `connection` also settles that connection's state."""
    spec = registry.spec_of(kind)
    same = connection is not None and dict(values) == stored(connection)
    connection_id, sealed = (connection.id, connection.sealed) if same else (None, None)
    db.session.commit()  # a lock held while a vendor thinks would stop everybody else
    try:
        tested = _ask(kind, values)
    except VendorError as error:
        outcome = _failed(spec, values, error)
    else:
        outcome = TestOutcome(True, _("Connection successful!"), tested.account.name or "", tested=tested)
    found = db.session.scalar(select(Connection).where(Connection.id == connection_id)) if same else None
    if found is not None and found.sealed == sealed:  # what is said of old credentials says nothing about new ones
        settle(found, outcome)
    audit.record("connection.tested", spec.label, passed=outcome.ok, problem=outcome.error and outcome.error.code)
    return replace(outcome, trimmed=trimmed)


def _ask(kind: str, values: Mapping[str, str]) -> records.Tested:
    return open_connector(kind, values, setup=vendor_setup(), lane="person").test()


def _failed(spec: VendorSpec, values: Mapping[str, str], error: VendorError) -> TestOutcome:
    if isinstance(error, NeedsReauth) and (variant := _answering_variant(spec, values)):
        sentence = _("These keys belong to %(vendor)s %(variant)s. Switch?", vendor=spec.label, variant=variant.label)
        return TestOutcome(False, _title(error), sentence, spec.variant_field, other_variant=variant, error=error)
    settled = isinstance(error, (NeedsReauth, NotPermitted, BadSettings))
    causes = spec.likely_causes if settled else ()
    return TestOutcome(False, _title(error), error.sentence, getattr(error, "field", None), causes=causes, error=error)


def _title(error: VendorError) -> str:
    titles = {"credentials": _("Authentication error"), "not_permitted": _("Not permitted")}
    titles |= {"settings": _("A setting is wrong"), "temporary": _("Not reachable at the moment")}
    return (titles | {"limit": _("Limit reached")}).get(error.code) or _("The test failed")


def _answering_variant(spec: VendorSpec, values: Mapping[str, str]) -> Variant | None:
    """Where one vendor is several services, keys of one are simply unknown in the others."""
    chosen = values.get(spec.variant_field or "")
    for variant in spec.variants if spec.variants_exclusive and spec.variant_field else ():
        if variant.key == chosen:
            continue
        try:
            _ask(spec.kind, {**values, spec.variant_field: variant.key})
        except NotPermitted:
            return variant  # known there, though not allowed
        except VendorError:
            continue
        else:
            return variant
    return None


def stored(connection: Connection | None) -> dict[str, str]:
    """The declared credentials as kept; empty where there are none or no key opens them any more."""
    if connection is None:
        return {}
    try:
        values = current_app.extensions["uku_keyring"].open(connection.sealed)
    except Unreadable:
        return {}
    return {field.name: values.get(field.name, "") for field in registry.spec_of(connection.kind).credentials}


def fill(connection: Connection, values: Mapping[str, str], outcome: TestOutcome, name: str | None) -> None:
    """Put tested, or not yet testable, credentials into a connection and close its problem."""
    spec = registry.spec_of(connection.kind)
    connection.sealed = current_app.extensions["uku_keyring"].seal(values)
    connection.hints = _hints(spec, values)
    account = links.account_row(connection.kind, outcome.account, name) if outcome.account else None
    connection.account_id = account.id if account else None
    connection.name = (account.name if account else None) or name
    connection.tested_at = now() if outcome.ok else None
    told = values.get(spec.lifetimes.expiry_field or "")
    connection.expires_on = date.fromisoformat(told) if told else None
    if outcome.ok and outcome.tested.expires_on:
        connection.expires_on = outcome.tested.expires_on
    connection.state = ConnectionState.UNVERIFIED
    connection.problem_code = connection.problem = connection.problem_since = None
    db.session.add(connection)
    db.session.flush()
    clear_problem(connection)


def _hints(spec: VendorSpec, values: Mapping[str, str]) -> dict:
    """What may be shown of stored credentials: the choices, and the ends of what is no secret."""
    open_fields = [field for field in spec.credentials if not field.secret]
    return {
        "variant": values.get(spec.variant_field) if spec.variant_field else None,
        "choices": {field.name: values[field.name] for field in open_fields if field.choices},
        "ends": {f.name: values[f.name][-4:] for f in open_fields if not f.choices and len(values[f.name]) > 7},
    }


def save(
    kind: str, values: Mapping[str, str], *, name: str | None = None, trimmed: tuple[str, ...] = ()
) -> TestOutcome:
    """Test the company's own credentials and keep them, as far as that overwrites nothing. The caller commits."""
    spec = registry.spec_of(kind)
    outcome = test(kind, values, trimmed=trimmed)
    if not outcome.ok and not outcome.unreachable:
        return outcome
    name = asked_name(spec, name, outcome)
    connection = links.company_connection(kind)
    if connection is not None and connection.account_id and not outcome.ok and dict(values) == stored(connection):
        return replace(outcome, kept="saved")  # the same as before: what was verified stays so
    db.session.execute(delete(Connection).where(Connection.kind == kind, Connection.level == CANDIDATE))
    account = links.account_row(kind, outcome.account, name) if outcome.account else None
    if connection is not None and connection.account_id and (account is None or account.id != connection.account_id):
        fill(Connection(kind=kind, level=CANDIDATE), values, outcome, name)
        return replace(outcome, kept="choose" if outcome.ok else "unverified")
    connection = connection or Connection(kind=kind, level=Level.COMPANY)
    fill(connection, values, outcome, name)
    links.adopt(connection)
    audit.record("connection.saved", spec.label, account=connection.name, verified=outcome.ok)
    return replace(outcome, kept="saved" if outcome.ok else "unverified")


def asked_name(spec: VendorSpec, name: str | None, outcome: TestOutcome) -> str | None:
    """The company name that the vendor told or a person typed; asked where there is neither. Raises Invalid."""
    told = outcome.account.name if outcome.account else None
    name = (told or name or "").strip()[:255]
    if not spec.tells_name and not name:
        raise Invalid({"company_name": _("Enter the company name. %(vendor)s does not tell it.", vendor=spec.label)})
    return name or None


def candidate(kind: str) -> Connection | None:
    return db.session.scalar(select(Connection).where(Connection.kind == kind, Connection.level == CANDIDATE))


def choose(kind: str, *, switch: bool) -> Connection:
    """Keep the connected account, or switch to the other one. Links of the account left behind sleep."""
    connection, other = links.company_connection(kind), candidate(kind)
    if connection is None or other is None:
        raise NotFound(_("There is nothing to choose any more. Open the dialog again."))
    label, kept, new = registry.spec_of(kind).label, connection.name, other.name
    if switch:
        _take_over(connection, other)
    db.session.delete(other)
    db.session.flush()
    audit.record("connection.switched" if switch else "connection.kept", label, connected=kept, other=new)
    return connection


def _take_over(connection: Connection, other: Connection) -> None:
    for column in ("account_id", "name", "sealed", "hints", "tested_at", "expires_on", "state"):
        setattr(connection, column, getattr(other, column))
    connection.token_version += 1
    connection.problem_code = connection.problem = connection.problem_since = None
    clear_problem(connection)


def settle(connection: Connection, outcome: TestOutcome) -> None:
    """What a test of stored credentials means for their connection. The caller commits."""
    if not outcome.ok:
        if connection.level != CANDIDATE:
            mark_problem(connection, outcome.error)
        return
    account = links.account_row(connection.kind, outcome.account, None if connection.account_id else connection.name)
    if connection.account_id not in (None, account.id):
        name = connection.name or _("the connected one")
        sentence = _(
            "These credentials open another account now than %(name)s. Paste them again and choose.", name=name
        )
        mark_problem(connection, BadSettings(sentence))
        return
    connection.account_id, connection.tested_at = account.id, now()
    connection.expires_on = outcome.tested.expires_on or connection.expires_on
    company = links.company_connection(connection.kind)
    if connection.level == CANDIDATE and company is not None and company.account_id == account.id:
        connection.state = ConnectionState.OK
        _take_over(company, connection)
        db.session.delete(connection)
        return
    clear_problem(connection)
    links.adopt(connection)


def mark_problem(connection: Connection, error: VendorError) -> None:
    """A person must act: say it on the connection, and once to those who can. Other errors leave no mark."""
    if not isinstance(error, (NeedsReauth, NotPermitted, BadSettings)):
        return
    connection.state, connection.problem_code = ConnectionState.ATTENTION, error.code
    connection.problem, connection.problem_since = error.sentence, connection.problem_since or now()
    label = registry.spec_of(connection.kind).label
    path, client = links.dialog_of(connection)
    title = _("%(vendor)s needs attention", vendor=f"{label} · {client}" if client else label)
    notices.tell(
        notices.managers(), title, body=error.sentence, path=path, level="bad", cause=f"connection:{connection.id}"
    )


def clear_problem(connection: Connection) -> None:
    """The credentials work: a test passed, or a run has read with them."""
    connection.state = ConnectionState.OK if connection.account_id else ConnectionState.UNVERIFIED
    connection.problem_code = connection.problem = connection.problem_since = None
    notices.close(f"connection:{connection.id}")


def disconnect(kind: str) -> str:
    """Forget the company's credentials; links to its account sleep, all else stays. Returns how to remove us at the
    vendor."""
    connection = links.company_connection(kind)
    if connection is None:
        raise NotFound(_("This is not connected any more."))
    spec = registry.spec_of(kind)
    db.session.execute(delete(Connection).where(Connection.kind == kind, Connection.level == CANDIDATE))
    audit.record("connection.disconnected", spec.label, account=connection.name)
    forget(connection)
    return spec.removal


def forget(connection: Connection) -> None:
    """Delete credentials; runs that work with them stop."""
    query = select(Run).where(Run.connection_id == connection.id, Run.state.in_(ACTIVE))
    for run in list(db.session.scalars(query)):
        runs.cancel(run)
    notices.close(f"connection:{connection.id}")
    notices.close(f"import:{connection.id}")
    db.session.execute(update(Link).where(Link.connection_id == connection.id).values(connection_id=None))
    db.session.delete(connection)
    db.session.flush()
