"""The control side: a page of switches for people, and the same as JSON under `/_control` for tests."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, redirect, render_template_string, request

from .faults import FAULTS, check
from .page import PAGE
from .switches import ANY, Switch
from .traffic import counters

if TYPE_CHECKING:
    from .server import Sandbox

SCOPE_FIELDS = ("vendor", "variant", "account", "path")
ON_PAGE = 40


def control_blueprint(sandbox: "Sandbox") -> Blueprint:
    blueprint = Blueprint("control", __name__)
    _add_switches(blueprint, sandbox)
    _add_requests(blueprint, sandbox)
    _add_page(blueprint, sandbox)
    return blueprint


def _wanted(given: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Arguments for a new switch out of a form or JSON object, and what is wrong with it."""
    value = given.get("value")
    value = None if value in (None, "") else str(value).strip()
    times = given.get("times")
    if times not in (None, "") and (not str(times).isdigit() or int(times) < 1):
        return {}, "times is a whole number from 1 on."
    fault = str(given.get("fault", ""))
    scope = {field: str(given.get(field) or ANY) for field in SCOPE_FIELDS}
    return {"fault": fault, "value": value, "times": int(times) if times else None, **scope}, check(fault, value)


def _add_switches(blueprint: Blueprint, sandbox: "Sandbox") -> None:
    @blueprint.get("/_control/switches")
    def list_switches() -> Response:
        faults = {name: asdict(fault) for name, fault in FAULTS.items()}
        return jsonify(switches=sandbox.board.listing(), faults=faults)

    @blueprint.post("/_control/switches")
    def add_switch() -> tuple[Response, int]:
        given = request.get_json(silent=True)
        arguments, problem = _wanted(given) if isinstance(given, dict) else ({}, "A JSON object is wanted.")
        if problem:
            return jsonify(error=problem), 400
        return jsonify(_add(sandbox, arguments)), 201

    @blueprint.delete("/_control/switches")
    def remove_all() -> tuple[str, int]:
        sandbox.board.clear()
        return "", 204

    @blueprint.delete("/_control/switches/<int:switch_id>")
    def remove_switch(switch_id: int) -> tuple[Response | str, int]:
        removed = sandbox.board.remove(switch_id)
        return ("", 204) if removed else (jsonify(error="No such switch."), 404)

    @blueprint.post("/_control/reset")
    def reset() -> tuple[str, int]:
        sandbox.reset()
        return "", 204


def _add(sandbox: "Sandbox", arguments: dict[str, Any]) -> Switch:
    return sandbox.board.add(arguments.pop("fault"), **arguments)


def _add_requests(blueprint: Blueprint, sandbox: "Sandbox") -> None:
    @blueprint.get("/_control/requests")
    def list_requests() -> Response:
        """Filters: vendor, variant, account, method, path, status, fault; `limit` bounds the rows, not the counts."""
        wanted = request.args.to_dict()
        limit = wanted.pop("limit", "")
        rows = sandbox.traffic.listing(wanted)
        shown = rows[-int(limit) :] if limit.isdigit() and int(limit) else rows
        return jsonify(total=len(rows), counters=counters(rows), requests=shown)

    @blueprint.delete("/_control/requests")
    def clear_requests() -> tuple[str, int]:
        sandbox.traffic.clear()
        return "", 204

    @blueprint.get("/_control/accounts")
    def list_accounts() -> Response:
        accounts = [asdict(account) for stand_in in sandbox.stand_ins.values() for account in stand_in.accounts()]
        return jsonify(accounts=accounts, now=sandbox.clock.now().isoformat())


def _add_page(blueprint: Blueprint, sandbox: "Sandbox") -> None:
    def page(problem: str | None = None, status: int = 200) -> tuple[str, int]:
        html = render_template_string(
            PAGE,
            problem=problem,
            given=request.form,
            faults=FAULTS,
            switches=sandbox.board.listing(),
            stand_ins=sandbox.stand_ins.values(),
            accounts=[a for stand_in in sandbox.stand_ins.values() for a in stand_in.accounts()],
            received=list(reversed(sandbox.traffic.listing({})[-ON_PAGE:])),
            now=sandbox.clock.now(),
            root=request.url_root.rstrip("/"),
        )
        return html, status

    @blueprint.get("/")
    @blueprint.get("/switches")
    def show_switches() -> tuple[str, int]:
        return page()

    @blueprint.post("/switches")
    def submit_switches() -> tuple[str, int] | Response:
        action = request.form.get("action", "on")
        if action == "on":
            arguments, problem = _wanted(request.form.to_dict())
            if problem:
                return page(problem, 400)
            _add(sandbox, arguments)
        elif action == "off":
            sandbox.board.remove(request.form.get("id", 0, type=int))
        elif action == "reset":
            sandbox.reset()
        return redirect("/switches", code=303)
