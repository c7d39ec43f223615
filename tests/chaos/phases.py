"""What the fault tests do, one after another: orders come in, what is left is recovered, answers come, orders go stale."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from destinations import Erp, Shop
from faults import Curse, Fault, Plan
from ledger import Item, Ledger, text
from orders import Order, signature
from webhooks import Shops, post_until_taken

OPEN = ("pending", "processing")
# More than any wait of the product's own: a lease that ran out, a message that never reached the queue.
MINUTES = 20
# Shorter than their own times, as a run that a fault holds up is waited for. One of reset-errors hides the dead letters
# that it reads for as long as it may take, and somewhat more.
RUN_SECONDS = {"RESET_ERRORS": 15, "CANCEL_STALE": 45, "CLEANUP": 45}
QUIET_SECONDS = 150
STUCK_SECONDS = 15
SETTLED_SECONDS = 900
RUNS_AT_MOST = 400
# Orders of which one is never acknowledged.
SILENT_OF = 5
DAYS_OF_OLD = 301
FILE_OF = 2
OLD_PARTS = 10
FOR_EVER = 10**6
# Faults at every delivery of a message, so that it ends among the dead letters.
CURSES = (
    # No row, and one that says that somebody is at it.
    Curse(Fault.KILLED, 4),
    Curse(Fault.KILLED_AFTER, 4),
    # Between the delivery and its record.
    Curse(Fault.KILLED, 4, "exported"),
    # The ledger is out from the first call on, and from the one that records the outcome.
    Curse(Fault.FAILED_ALL, FOR_EVER),
    Curse(Fault.THROTTLED_ALL, FOR_EVER, "exported"),
)
# What brings about calls that chance seldom does. The ledger is out after an export was begun, for all deliveries of its
# message, of the same once it was put back, and of the message that names the export: reset-errors makes all of its calls.
# It is out for all deliveries but the last, at which the destination fails: the processor has the ledger keep the order.
LONG_OUTAGES = (
    # Of orders whose rows are all there by then: of what has none, people have to see to a message that was given up for good.
    Curse(Fault.KILLED, 1, "exported", then=Curse(Fault.FAILED_ALL, 11), shops=("office", "large")),
    Curse(Fault.FAILED_ALL, 3, shops=("flaky",)),
)


class Trial:
    """One run of the fault tests."""

    def __init__(
        self, plan: Plan, ledger: Ledger, shops: Shops, erp: Erp, shop: Shop, say: Callable[[str], None], patience: float
    ) -> None:
        self.plan, self.ledger, self.shops, self.erp, self.shop, self.say = plan, ledger, shops, erp, shop, say
        # Seconds after which a function has no more faults in a part of the trial, so that each comes to its end.
        self.patience = patience
        self.problems: list[str] = []
        # The orders that this part of the trial is about.
        self.orders: list[Order] = []
        self.runs: Counter[str] = Counter()
        self.erased: list[str] = []

    @contextmanager
    def faults_at(self, function: str, chance: float, patience: float | None = None) -> Iterator[None]:
        """Has a function meet faults for a part of the trial."""
        self.plan.chances[function] = chance
        # One who has every kind of fault made comes to an end by that.
        patience = FOR_EVER if self.plan.is_thorough else patience or self.patience
        end = threading.Timer(patience, self.plan.chances.pop, (function, None))
        end.start()
        try:
            yield
        finally:
            end.cancel()
            self.plan.chances.pop(function, None)

    # ---- orders come in

    def take_in(self, orders: list[Order]) -> None:
        """Sends orders, and waits until nothing is in the queue."""
        self.erp.expect(orders)
        for order in orders:
            if order.shop == "unpaid":
                self.shop.orders[order.id] = "pending"
        self.shops.send(orders)
        self.drain()

    def curse(self, orders: list[Order], curses: Iterable[Curse], each: int) -> list[str]:
        """Orders that meet a fault at all of their deliveries; gives those for which the ledger is out until lifted."""
        outages, free = [], list(orders)
        for curse in curses:
            for order in [order for order in free if order.shop in curse.shops][:each]:
                free.remove(order)
                self.plan.curses[order.id] = curse
                if curse.times == FOR_EVER:
                    outages.append(order.id)
        return outages

    # ---- until nothing is left to do

    def settle(self) -> None:
        """Runs reset-errors as its schedules would, with time passing, until queue, dead letters and ledger are quiet."""
        began, told = time.monotonic(), ""
        while time.monotonic() - began < SETTLED_SECONDS:
            self.drain()
            waiting = [item for item in self.ledger.items().values() if self.is_open(item)]
            dead = self.ledger.dead()
            if told != (told := f"{len(waiting)} exports open or in error, {dead} dead letters"):
                self.say(told)
            if not waiting and not dead and not self.ledger.queued():
                return
            self.ledger.let_pass(MINUTES, waiting)
            self.run("RESET_ERRORS")
            # Dead letters that a killed run has read are hidden for a while.
            time.sleep(2 if dead else 0)
        self.problems.append(f"not quiet after {time.monotonic() - began:.0f} s")

    def is_open(self, item: Item) -> bool:
        """Whether somebody or something has still to see to an export."""
        status = text(item, "status")
        is_final = text(item, "fault") == "unacknowledged"
        return status in OPEN or (status == "error" and not is_final)

    def drain(self) -> None:
        """Waits until the queue is empty, or nothing comes of waiting."""
        deadline = time.monotonic() + QUIET_SECONDS
        while self.ledger.queued() and time.monotonic() < deadline:
            time.sleep(0.5)

    def of(self, shop: str) -> list[Order]:
        """The orders of a shop that this part of the trial is about and that were accepted."""
        return [order for order in self.orders if order.shop == shop and order.id in self.shops.accepted]

    def exhaust(self, function: str) -> None:
        """Runs a scheduled function on, though nothing may be left for it, until a run meets nothing new."""
        name, made = function.lower().replace("_", "-"), -1
        while self.plan.is_thorough and made != (made := self.plan.made(name)):
            self.run(function)

    def run(self, function: str, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Runs a scheduled function. What it says of itself, or that it did not come to its end."""
        self.runs[function] += 1
        return self.ledger.invoke(function, event or {})

    # ---- the back office answers

    def answer_later(self, secret: str) -> None:
        """Acknowledges orders by files and callbacks, again until each is taken; some never."""
        office = sorted(order.id for order in self.of("office"))
        told = [order for index, order in enumerate(office) if index % SILENT_OF]
        by_file, by_call = told[: len(told) // 2], told[len(told) // 2 :]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda order: self.call_back(order, secret), by_call))
        for index in range(0, len(by_file), FILE_OF):
            self.ledger.put(f"responses/office/{by_file[index]}.json", results(by_file[index : index + FILE_OF]))
        self.wait_for_files()

    def call_back(self, order: str, secret: str) -> None:
        body = results([order])
        headers = {"Content-Type": "application/json", "X-Signature": signature(secret, body)}
        if not post_until_taken(f"{self.shops.api}/responses/office", headers, body):
            self.problems.append(f"{order}: the callback was never taken")

    def wait_for_files(self) -> None:
        """A file that its three runs did not deal with is put there again, as docs/later-responses.md says."""
        for again in range(30):
            left, since = self.files(), time.monotonic()
            while left and time.monotonic() - since < STUCK_SECONDS:
                time.sleep(0.5)
                if left != (left := self.files()):
                    since = time.monotonic()
            if not left:
                return
            for key in left:
                self.ledger.move(key, key.replace(".json", f"-{again}.json"))
        self.problems.append(f"files of the back office that were never dealt with: {self.files()}")

    def files(self) -> list[str]:
        return [key for key in self.ledger.keys() if key.startswith("responses/office/")]

    def end_silence(self) -> None:
        """The time of those is over that are not acknowledged."""
        for _ in range(RUNS_AT_MOST):
            silent = [item for item in self.ledger.items().values() if text(item, "due_key").startswith("ack#")]
            if not silent:
                return
            self.ledger.let_pass(24 * 60, silent)
            self.run("RESET_ERRORS", {"only": ["acknowledgements"]})
        self.problems.append("acknowledgements that nobody ended")

    # ---- orders go stale, and exports old

    def cancel_stale(self) -> None:
        """Runs cancel-stale until the shop has canceled every unpaid order and the ledger knows it."""
        unpaid = {order.id for order in self.of("unpaid")}
        for _ in range(RUNS_AT_MOST):
            items = self.ledger.items()
            left = [items[order, "shipping"] for order in unpaid if not text(items[order, "shipping"], "canceled_at")]
            open_ = [order for order in unpaid if self.shop.orders[order] != "canceled" or (order, "canceled") not in items]
            if not open_:
                self.exhaust("CANCEL_STALE")
                return
            self.ledger.let_pass(MINUTES, [item for item in left if text(item, "cancel_after")])
            self.run("CANCEL_STALE")
        self.problems.append("unpaid orders that were never canceled")

    def clean_up(self) -> None:
        """Has the exports of one shop be past their retention, some at a time, and runs cleanup until they are gone."""
        old = sorted(order.id for order in self.of("old"))
        for part in range(OLD_PARTS):
            some = {(order, "archive") for order in old[part::OLD_PARTS]}
            self.ledger.let_pass(DAYS_OF_OLD * 24 * 60, [row for key, row in self.ledger.items().items() if key in some])
            for _ in range(RUNS_AT_MOST):
                if not some & self.ledger.items().keys():
                    break
                self.run("CLEANUP")
            else:
                self.problems.append(f"exports that cleanup never removed: {some & self.ledger.items().keys()}")
        self.exhaust("CLEANUP")

    def erase(self, orders: Iterable[Order]) -> None:
        """Has orders be forgotten, asking again until that is done."""
        for order in orders:
            request = {"erase": {"order": order.id, "shop": order.shop}}
            for _ in range(40):
                said = self.run("CLEANUP", request)
                if "error" not in said and not said.get("failed") and not said.get("left"):
                    self.erased.append(order.id)
                    break
            else:
                self.problems.append(f"{order.id}: it was never erased")


def results(orders: list[str]) -> bytes:
    return json.dumps({"results": [{"order": f"N-{order}", "id": f"B-{order}"} for order in orders]}).encode()


def sample(orders: Iterable[Order], count: int, seed: int) -> list[Order]:
    found = sorted(orders, key=lambda order: order.id)
    return random.Random(seed).sample(found, min(count, len(found)))

