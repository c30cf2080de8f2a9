"""What every vendor's stand-in offers the server."""

from dataclasses import dataclass, field
from typing import Protocol

from flask import Blueprint, Request

from .books import DOCUMENTS_REMEMBERED
from .clock import Clock
from .firm import Client
from .recent import Recent
from .shelf import Shelf
from .switches import SwitchBoard


@dataclass(frozen=True)
class World:
    """What the stand-ins share."""

    clock: Clock
    board: SwitchBoard
    seed: int
    clients: list[Client]
    shelf: Shelf = field(default_factory=Shelf)
    months: Recent = field(default_factory=lambda: Recent(DOCUMENTS_REMEMBERED))


@dataclass(frozen=True)
class Account:
    """One company a stand-in holds books of. `credentials` has the key names of a credentials file."""

    kind: str
    variant: str | None
    account: str
    name: str
    size: str
    credentials: dict[str, str] = field(repr=False)


class StandIn(Protocol):
    """Serves everything below `/<kind>`; pages of sign-in and several hosts of one vendor are paths below it."""

    kind: str
    variants: tuple[str | None, ...]

    def blueprint(self) -> Blueprint: ...

    def base_path(self, variant: str | None) -> str:
        """What stands before the endpoint paths of the vendor's documentation."""

    def auth_path(self, variant: str | None) -> str | None: ...

    def accounts(self) -> list[Account]: ...

    def locate(self, request: Request) -> tuple[str | None, str | None]:
        """Variant and account a request concerns, for switches and the log; None where it cannot be told."""

    def reset(self) -> None:
        """Forgets everything written and every limit used."""
