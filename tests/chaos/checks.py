"""What became of the orders: what is lost, what came twice, and what is left over. Each finding names its order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from destinations import Erp, Shop
from ledger import Item, Ledger, text
from orders import Order

BY_HTTP = {"erp", "paced", "flaky", "office"}
DOCUMENTS = {"archive": "archive/{shop}/{number}.json", "later": "later/{number}.json"} | {
    "shipping": "shipping/{number}.json",
    "canceled": "canceled/{number}.json",
}
SILENT = "unacknowledged"
# Attributes that lead from a row to an object of the order.
LEADING = ("payload_key", "inbound_key")


@dataclass
class Outcome:
    """The findings, and what is counted without being one."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    # Deliveries under the same key beyond the first, and how many of them no fault of ours explains.
    repeats: int = 0
    unexplained: list[str] = field(default_factory=list)

    def merge(self, other: Outcome) -> None:
        """Adds the findings of a look at other orders, or at another time."""
        for name in ("lost", "duplicated", "left", "unexplained"):
            mine = getattr(self, name)
            mine += [finding for finding in getattr(other, name) if finding not in mine]
        self.repeats = max(self.repeats, other.repeats)

    def findings(self) -> Iterator[str]:
        for name in ("lost", "duplicated", "left", "unexplained"):
            yield from (f"{name}: {finding}" for finding in getattr(self, name))


class Check:
    """A look at all there is, to judge the orders that are given, all of whose exports should be there."""

    def __init__(
        self, accepted: Mapping[str, Order], ledger: Ledger, erp: Erp, shop: Shop, met: set[str], judged: Iterable[Order]
    ) -> None:
        self.orders, self.ledger, self.erp, self.shop, self.met = accepted, ledger, erp, shop, met
        self.judged = [order for order in judged if order.id in accepted]
        self.items = ledger.items()
        self.objects = ledger.writers()
        self.packed = self._packed()

    def outcome(self) -> Outcome:
        found, accepted = Outcome(), self.erp.keys()
        for order in self.judged:
            for expected in order.exports:
                row = self.items.get((order.id, expected.pipeline))
                found.lost += self._lost(order, expected.pipeline, expected.status, row)
                found.duplicated += self._duplicated(order, expected.pipeline, accepted)
        found.left += [*self._left_rows(), *self._left_objects(), *self._left_messages()]
        for key, times in self.erp.received.items():
            # What the destination itself failed was to be sent again.
            found.repeats += max(0, times - 1)
            if times > 1 and key.split(":")[1] not in self.met and not key.startswith("flaky:"):
                found.unexplained.append(f"{key}: delivered {times} times")
        found.duplicated += [f"{order}: canceled {n} times" for order, n in self.shop.cancels.items() if n > 1]
        return found

    def _lost(self, order: Order, pipeline: str, status: str, row: Item | None) -> Iterator[str]:
        name = f"{order.id} of {order.shop} to {pipeline}"
        if row is None:
            yield f"{name}: no row"
            return
        is_silent = pipeline == "office" and text(row, "fault") == SILENT
        if text(row, "status") != status and not is_silent:
            yield f"{name}: {text(row, 'status')}, not {status} ({text(row, 'last_error')[:160]})"
        if pipeline == "office" and not is_silent and text(row, "external_id") != f"B-{order.id}":
            yield f"{name}: the back office's name for it is not on record"
        if status == "skipped":
            return
        key = f"{order.shop}:{order.id}:{pipeline}"
        if pipeline in BY_HTTP:
            has_arrived = key in self.erp.accepted and order.number.encode() in self.erp.accepted[key].body
        elif pipeline == "packed":
            has_arrived = bool(self.packed[order.number])
        else:
            has_arrived = self.objects.get(document(order, pipeline)) == key
        if not has_arrived:
            yield f"{name}: it has not arrived"

    def _duplicated(self, order: Order, pipeline: str, accepted: Mapping[tuple[str, str], set[str]]) -> Iterator[str]:
        if pipeline in BY_HTTP and len(accepted.get((order.id, pipeline), ())) > 1:
            yield f"{order.id} to {pipeline}: under several keys"
        if pipeline == "packed" and self.packed[order.number] > 1:
            yield f"{order.id}: in {self.packed[order.number]} places of objects of many orders"
        if pipeline in BY_HTTP and "skipped" in [e.status for e in order.exports if e.pipeline == pipeline]:
            if accepted.get((order.id, pipeline)):
                yield f"{order.id} to {pipeline}: skipped, and delivered"

    def _packed(self) -> Counter[str]:
        keys = [key for key in self.objects if key.startswith("packs/")]
        return Counter(json.loads(line)["number"] for key in keys for line in self.ledger.body(key).splitlines() if line)

    def _left_rows(self) -> Iterator[str]:
        for (order, pipeline), row in self.items.items():
            status = text(row, "status")
            if status in ("pending", "processing"):
                yield f"{order} to {pipeline}: {status}"
            if status == "error" and text(row, "fault") != SILENT:
                yield f"{order} to {pipeline}: in error, {text(row, 'last_error')[:160]}"
            if text(row, "lease_owner") and status == "processing":
                yield f"{order} to {pipeline}: a lease of {text(row, 'lease_owner')}"
            if order not in self.orders:
                yield f"{order} to {pipeline}: a row of an order that was never accepted"

    def _left_objects(self) -> Iterator[str]:
        led_to = {text(row, name) for row in self.items.values() for name in LEADING}
        documents = {document(order, e.pipeline) for order in self.orders.values() for e in order.exports}
        for key in self.objects:
            if key.startswith("payloads/") and key not in led_to:
                yield f"{key}: no row leads to it"
            elif key.startswith("responses/") and not key.startswith("responses/done/"):
                yield f"{key}: not dealt with"
            elif not key.startswith(("payloads/", "responses/", "packs/", "receipts/")) and key not in documents:
                yield f"{key}: of no export"

    def _left_messages(self) -> Iterator[str]:
        if queued := self.ledger.queued():
            yield f"{queued} messages in the queue"
        if dead := self.ledger.dead():
            yield f"{dead} dead letters: {self.ledger.dead_letters()}"


def document(order: Order, pipeline: str) -> str:
    return DOCUMENTS.get(pipeline, "-").format(shop=order.shop, number=order.number)


def left_by_cleanup(before: Check, after: Check, erased: list[str]) -> Iterator[str]:
    """What cleanup should have removed and did not, or the other way round."""
    old = {order.id for order in before.orders.values() if order.shop == "old"}
    for order, pipeline in before.items.keys() | after.items.keys():
        now = after.items.get((order, pipeline))
        if order in old:
            if now:
                yield f"left: {order} to {pipeline}: past its retention"
        elif now is None:
            yield f"lost: {order} to {pipeline}: cleanup removed its row"
        elif order in erased and any(text(now, name) for name in LEADING):
            yield f"left: {order} to {pipeline}: it was erased, and its row leads to the order"
    gone = {*old, *erased}
    theirs = {text(row, name) for (order, _), row in before.items.items() if order in gone for name in LEADING}

    def is_gone(key: str) -> bool:
        return key in theirs or any(order in key for order in gone)

    for key in before.objects.keys() - after.objects.keys():
        if not is_gone(key) and not key.startswith("responses/"):
            yield f"lost: {key}: cleanup removed it"
    yield from (f"left: {key}: of an order that is gone" for key in after.objects if is_gone(key))
