"""The switch board: which faults are on, for whom, and for how many more requests."""

from dataclasses import asdict, dataclass
from itertools import count
from threading import Lock

ANY = "*"


@dataclass(frozen=True)
class Scope:
    """Whom a request concerns. `path` is what stands after the host."""

    vendor: str
    variant: str | None
    account: str | None
    path: str


@dataclass
class Switch:
    id: int
    fault: str
    vendor: str = ANY
    variant: str = ANY
    account: str = ANY
    path: str = ANY
    value: str | None = None
    remaining: int | None = None

    def concerns(self, scope: Scope) -> bool:
        return (
            self.vendor in (ANY, scope.vendor)
            and self.variant in (ANY, scope.variant)
            and (self.account == ANY or self.account.lower() == (scope.account or "").lower())
            and (self.path == ANY or self.path.lower() in scope.path.lower())
        )

    def number(self, default: int) -> int:
        return int(self.value) if self.value not in (None, "") else default


class SwitchBoard:
    def __init__(self) -> None:
        self._switches: dict[int, Switch] = {}
        self._ids = count(1)
        self._lock = Lock()

    def add(self, fault: str, *, times: int | None = None, value: str | None = None, **scope: str) -> Switch:
        with self._lock:
            switch = Switch(next(self._ids), fault, value=value, remaining=times, **scope)
            self._switches[switch.id] = switch
            return switch

    def remove(self, switch_id: int) -> bool:
        with self._lock:
            return self._switches.pop(switch_id, None) is not None

    def clear(self) -> None:
        with self._lock:
            self._switches.clear()

    def take(self, fault: str, scope: Scope) -> Switch | None:
        """The newest switch of this fault that concerns the request; one of its remaining times is used up."""
        with self._lock:
            for switch in reversed(self._switches.values()):
                if switch.fault == fault and switch.concerns(scope):
                    self._use_up(switch)
                    return switch
        return None

    def _use_up(self, switch: Switch) -> None:
        if switch.remaining is None:
            return
        switch.remaining -= 1
        if switch.remaining <= 0:
            del self._switches[switch.id]

    def listing(self) -> list[dict]:
        with self._lock:
            return [asdict(switch) for switch in self._switches.values()]
