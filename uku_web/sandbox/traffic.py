"""What the stand-ins received: counters and a log, so tests and benches count requests where they arrive."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from threading import Lock

from .clock import Clock
from .switches import Scope

KEPT = 50_000


@dataclass
class Received:
    """`status` stays None while a request runs and when no answer was given. Query and body are never kept."""

    vendor: str
    variant: str | None
    account: str | None
    method: str
    path: str
    at: str
    status: int | None = None
    fault: str | None = None


class Traffic:
    def __init__(self, clock: Clock):
        self._clock = clock
        self._log: deque[Received] = deque(maxlen=KEPT)
        self._lock = Lock()

    def begin(self, scope: Scope, method: str) -> Received:
        at = self._clock.now().isoformat()
        entry = Received(scope.vendor, scope.variant, scope.account, method, scope.path, at)
        with self._lock:
            self._log.append(entry)
        return entry

    def clear(self) -> None:
        with self._lock:
            self._log.clear()

    def listing(self, wanted: dict[str, str]) -> list[dict]:
        with self._lock:
            entries = list(self._log)
        return [row for row in map(asdict, entries) if all(str(row.get(k)) == v for k, v in wanted.items())]


def counters(rows: list[dict]) -> dict[str, dict[str, int]]:
    fields = ("vendor", "variant", "account", "path", "status", "fault")
    return {field: dict(Counter(str(row[field]) for row in rows)) for field in fields}
