"""What can go wrong at a vendor, and how the stand-ins play it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import dumps

from flask import Request, Response
from waitress.channel import ClientDisconnected

from .clock import Clock
from .switches import Scope, SwitchBoard

HANG_SECONDS = 120

STACK_TRACE = (
    "System.NullReferenceException: Object reference not set to an instance of an object.\r\n"
    "   at Vendor.Api.Controllers.DocumentController.Read(String payload)\r\n"
    "   at System.Web.Http.Controllers.ReflectedHttpActionDescriptor.ExecuteAsync()\r\n"
)
MAINTENANCE_PAGE = (
    "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>"
)


@dataclass(frozen=True)
class Fault:
    label: str
    value: str = ""  # what the switch's value means; empty = it takes none


FAULTS = {
    "break": Fault("Server error", "status, 500 unless given"),
    "html": Fault("Answers an HTML page with 200"),
    "trace": Fault("Answers a stack trace with 200"),
    "cut": Fault("JSON cut in the middle"),
    "twice": Fault("JSON encoded twice (a string holding JSON)"),
    "hang": Fault("Answers nothing, then closes", f"seconds, {HANG_SECONDS} unless given"),
    "close": Fault("Closes the connection before doing anything"),
    "lost": Fault("Does what was asked, then closes without an answer"),
    "slow": Fault("Slow", "milliseconds"),
    "limit": Fault("429 at once", "seconds for Retry-After; empty = no such header"),
    "quota": Fault("Lower request limit", "requests per window"),
    "day-quota": Fault("Lower request limit for 24 hours, where there is one", "requests per 24 hours"),
    "revoke": Fault("The key or token is revoked"),
    "unpaid": Fault("The company has not paid the vendor's bill, where that has an answer of its own"),
    "licence": Fault("The company's licence does not include the API"),
    "lenient": Fault("Accepts wrong signatures"),
    "skew": Fault("The vendor's clock is wrong", "seconds ahead, negative = behind"),
}

TAKES_NUMBER = {"break", "hang", "slow", "limit", "quota", "day-quota", "skew"}


def check(fault: str, value: str | None) -> str | None:
    """A sentence about what is wrong with a wanted switch, or None."""
    if fault not in FAULTS:
        return f"Unknown fault {fault!r}; known are {', '.join(FAULTS)}."
    if value not in (None, "") and fault in TAKES_NUMBER and not value.removeprefix("-").isdigit():
        return f"The value of {fault!r} is a whole number ({FAULTS[fault].value})."
    if fault in {"slow", "quota", "day-quota", "skew"} and value in (None, ""):
        return f"{fault!r} needs a value ({FAULTS[fault].value})."
    return None


def _dropped() -> Iterator[bytes]:
    # waitress takes this exception as "nobody is listening" and closes the socket without a byte.
    raise ClientDisconnected
    yield b""


def drop() -> Response:
    return Response(_dropped(), direct_passthrough=True)


class Faults:
    """Applies the general faults around a vendor's own handling."""

    def __init__(self, board: SwitchBoard, clock: Clock, latency_ms: int = 0):
        self._board, self._clock, self._latency_ms = board, clock, latency_ms

    def before(self, request: Request, scope: Scope) -> tuple[str, Response] | None:
        """Name of the fault and the answer to give instead of the vendor's, or None to go on."""
        self._delay(scope)
        for fault, answer in self._instead().items():
            if switch := self._board.take(fault, scope):
                return fault, answer(request, switch)
        return None

    def after(self, response: Response, scope: Scope) -> tuple[str, Response] | None:
        for fault, change in (("cut", _cut), ("twice", _twice), ("lost", lambda _: drop())):
            if self._board.take(fault, scope):
                return fault, change(response)
        return None

    def _delay(self, scope: Scope) -> None:
        switch = self._board.take("slow", scope)
        milliseconds = switch.number(0) if switch else self._latency_ms
        if milliseconds > 0:
            self._clock.sleep(milliseconds / 1000)

    def _instead(self) -> dict[str, Callable]:
        return {
            "close": lambda request, switch: drop(),
            "hang": self._hang,
            "break": lambda request, switch: Response(STACK_TRACE, switch.number(500), mimetype="text/plain"),
            "html": lambda request, switch: Response(MAINTENANCE_PAGE, mimetype="text/html"),
            "trace": lambda request, switch: Response(STACK_TRACE, mimetype="text/plain"),
            "limit": _limited,
        }

    def _hang(self, request: Request, switch) -> Response:
        gone = request.environ.get("waitress.client_disconnected", lambda: False)
        for _ in range(switch.number(HANG_SECONDS) * 10):
            if gone():
                break
            self._clock.sleep(0.1)
        return drop()


def _limited(request: Request, switch) -> Response:
    response = Response("Too Many Requests", 429, mimetype="text/plain")
    if switch.value not in (None, ""):
        response.headers["Retry-After"] = switch.value
    return response


def _cut(response: Response) -> Response:
    body = response.get_data()
    response.set_data(body[: len(body) // 2])
    return response


def _twice(response: Response) -> Response:
    if response.mimetype == "application/json":
        response.set_data(dumps(response.get_data(as_text=True)))
    return response
