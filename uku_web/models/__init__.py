"""What is stored."""

from uku_web.models.billing import Export, Invoice
from uku_web.models.clients import Client, ClientGroup, Contact
from uku_web.models.integrations import (
    Account,
    Connection,
    ConnectionState,
    FieldMapping,
    ImportWhen,
    Integration,
    Level,
    Link,
)
from uku_web.models.notices import AuditEntry, Notice
from uku_web.models.people import Company, Membership, Person, Plan, Role
from uku_web.models.runs import ACTIVE, Due, ItemState, Run, RunCall, RunEvent, RunItem, RunState
from uku_web.models.tasks import FieldType, Task, TaskField, TaskValue, Topic, ValueWrite

__all__ = [
    "ACTIVE",
    "Account",
    "AuditEntry",
    "Client",
    "ClientGroup",
    "Company",
    "Connection",
    "ConnectionState",
    "Contact",
    "Due",
    "Export",
    "FieldMapping",
    "FieldType",
    "ImportWhen",
    "Integration",
    "Invoice",
    "ItemState",
    "Level",
    "Link",
    "Membership",
    "Notice",
    "Person",
    "Plan",
    "Role",
    "Run",
    "RunCall",
    "RunEvent",
    "RunItem",
    "RunState",
    "Task",
    "TaskField",
    "TaskValue",
    "Topic",
    "ValueWrite",
]
