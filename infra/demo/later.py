"""What becomes of orders after their export was tried: one scene each, on orders of the shop demo-later.

The functions that schedules run are invoked here, so that nobody has to wait for an hour or a week.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import show
from back_office import BackOffice
from stack_view import Row, StackView

SHOP = "demo-later"
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.3
Report = dict[str, Any]


@dataclass
class Stage:
    """What every scene plays on."""

    view: StackView
    office: BackOffice
    secret: str
    problems: list[str] = field(default_factory=list)

    def place(self, number: str, **changed: Any) -> None:
        """An order in ordersync's own names, which the generic platform takes without any mapping."""
        order = {
            "id": number.lower(),
            "number": number,
            "placed_at": datetime.now(timezone.utc).isoformat(),
            "currency": "EUR",
            "total": "59.00",
            "state": "pending",
            "payment": {"method": "banktransfer", "state": "open"},
            "customer": {"name": "Erika Beispiel", "email": f"erika+{number.lower()}@example.com"},
            "items": [{"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": "29.50"}],
            **changed,
        }
        body = json.dumps(order).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Signature": f"sha256={signature}"}
        request = urllib.request.Request(f"{self.view.api}/webhooks/{SHOP}", body, headers)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=30) as answer:
            self.expect(answer.status == 202, f"{number}: the webhook was answered {answer.status}")

    def wait(self, number: str, pipeline: str, what: str, is_so: Callable[[Row], bool]) -> Row | None:
        """The export as soon as it is so."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            row = self.row(number, pipeline)
            if row and is_so(row):
                print(f"  {number} to {pipeline}: {show.coloured(row.status, row.status)}{told(row)}", flush=True)
                return row
            time.sleep(POLL_SECONDS)
        row = self.row(number, pipeline)
        self.problems.append(f"{number} to {pipeline}: expected {what}, it is {row.status if row else 'not in the ledger'}")
        return None

    def becomes(self, number: str, pipeline: str, status: str) -> Row | None:
        return self.wait(number, pipeline, status, lambda row: row.status == status)

    def row(self, number: str, pipeline: str) -> Row | None:
        return self.view.row(SHOP, number.lower(), pipeline)

    def run(self, function: str, event: Mapping[str, Any] | None = None) -> Report:
        """Runs a scheduled function now, and says what it did."""
        report = self.view.invoke(function, event or {})
        print(f"  {function.lower().replace('_', '-')}: {summary(report)}", flush=True)
        return report

    def expect(self, is_so: bool, problem: str) -> None:
        if not is_so:
            self.problems.append(problem)


def told(row: Row) -> str:
    """What the row says besides its status."""
    words = [f"attempt {row.attempts}"] if row.attempts else []
    if row.external_id:
        words.append(f"the back office calls it {row.external_id}")
    if row.status in ("error", "skipped") and row.last_error:
        words.append(show.shortened(row.last_error, show.LONGEST_REASON))
    return f" ({', '.join(words)})" if words else ""


def summary(report: Report) -> str:
    """The counts of a run that are not zero."""
    counts: dict[str, Any] = {}
    for name, count in report.items():
        counts.update(count) if isinstance(count, dict) else counts.update({name: count})
    words = [f"{name} {count}" for name, count in counts.items() if isinstance(count, int) and count and name != "dry_run"]
    return ", ".join(words) or "nothing to do"


def an_error_is_reset(stage: Stage) -> None:
    show.title("An export that fails until its destination is mended, and is reset")
    stage.office.is_broken = True
    stage.place("L-1001")
    stage.becomes("L-1001", "books", "error")
    stage.office.is_broken = False
    print("  the back office is mended; an hour later (here: two seconds) the schedule comes by")
    time.sleep(2)
    stage.run("RESET_ERRORS")
    stage.becomes("L-1001", "books", "exported")
    stage.expect(stage.office.times("L-1001") == 1, "L-1001: the back office has not got it exactly once")


def a_stale_order_is_cancelled(stage: Stage) -> None:
    show.title("An order that nobody has paid for eight days, and is cancelled at the shop")
    stage.office.orders["l-1002"] = "pending"
    stage.place("L-1002", placed_at=(datetime.now(timezone.utc) - timedelta(days=8)).isoformat())
    stage.becomes("L-1002", "books", "exported")
    stage.run("CANCEL_STALE")
    stage.expect(stage.office.orders["l-1002"] == "canceled", "L-1002: the shop has not cancelled it")
    stage.becomes("L-1002", "cancellations", "exported")


def a_response_acknowledges(stage: Stage) -> None:
    show.title("A response file of the back office, for an order that it took, and for one that it refuses")
    stage.place("L-1003")
    stage.place("L-1004")
    stage.becomes("L-1003", "books", "exported")
    stage.becomes("L-1004", "books", "exported")
    results = [
        {"order": "L-1003", "id": "B-2026-77", "ok": True},
        {"order": "L-1004", "ok": False, "error": "the customer's account is blocked"},
    ]
    stage.view.put("responses/books/today.json", json.dumps({"results": results}).encode())
    print("  put      s3://…/responses/books/today.json")
    stage.becomes("L-1003", "books", "acknowledged")
    stage.becomes("L-1004", "books", "error")


def a_pause_holds_orders(stage: Stage) -> None:
    show.title("A pipeline that is paused while orders come in, and resumed")
    stage.view.pause("books", "paused")
    # Processors look every five seconds at what is paused.
    time.sleep(6)
    stage.place("L-1005")
    stage.wait("L-1005", "books", "pending", lambda row: row.status == "pending" and row.waits_for == "pause")
    stage.view.pause("books", "resumed")
    time.sleep(6)
    stage.run("RESET_ERRORS", {"only": ["due"]})
    stage.becomes("L-1005", "books", "exported")


def finished_exports_are_removed(stage: Stage) -> None:
    show.title("What is finished for long enough is removed, and a customer is forgotten on request")
    before = len(stage.view.rows())
    report = stage.run("CLEANUP")
    removed = before - len(stage.view.rows())
    stage.expect(removed > 0, f"cleanup has removed nothing: {report}")
    stage.run("CLEANUP", {"erase": {"email": "erika+l-1003@example.com"}})
    row = stage.row("L-1003", "books")
    stage.expect(row is None or row.last_error == "erased on request", "L-1003: it is still in the ledger")
    left = [key for key in stage.view.keys() if "L-1003" in key]
    stage.expect(not left, f"L-1003: {left} are still in the bucket")


SCENES = (
    an_error_is_reset,
    a_stale_order_is_cancelled,
    a_response_acknowledges,
    a_pause_holds_orders,
    finished_exports_are_removed,
)


def play(view: StackView, office: BackOffice, secret: str) -> Iterator[str]:
    """Plays every scene. Gives what did not go as it should."""
    stage = Stage(view, office, secret)
    for scene in SCENES:
        scene(stage)
    yield from stage.problems
