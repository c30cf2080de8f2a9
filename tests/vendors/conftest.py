"""A door without a network: it answers from a function and keeps what was sent."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from uku_web.vendors.calls import Answer, Call, to_json
from uku_web.vendors.redact import Redactor

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


class FakeDoor:
    """`reply(call)` gives a value to be sent as JSON, bytes, or (status, headers, either)."""

    def __init__(self, reply: Callable[[Call], object], at: datetime = NOW):
        self.reply, self.at = reply, at
        self.sent: list[Call] = []
        self.batches: list[int] = []  # how many calls went at once

    def send(self, call: Call, caller) -> Answer:
        return self.send_all([call], caller)[0]

    def send_all(self, calls: list[Call], caller) -> list[Answer]:
        self.batches.append(len(calls))
        return [self._answer(call, caller) for call in calls]

    def now(self) -> datetime:
        return self.at

    def _answer(self, call: Call, caller) -> Answer:
        prepared = caller.prepare(call, self.at)
        self.sent.append(prepared)
        answer = self.answer(prepared)
        if error := caller.explain(answer):
            raise Redactor(caller.spec, caller.credentials).seeing(prepared).clean(error)
        return answer

    def answer(self, call: Call) -> Answer:
        said = self.reply(call)
        status, headers, content = said if isinstance(said, tuple) else (200, {}, said)
        body = content if isinstance(content, bytes) else to_json(content)
        return Answer(status, {name.lower(): value for name, value in headers.items()}, body, call, self.at)

    @property
    def paths(self) -> list[str]:
        return [call.path for call in self.sent]


@pytest.fixture
def fake_door() -> type[FakeDoor]:
    return FakeDoor
