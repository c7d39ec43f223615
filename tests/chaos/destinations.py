"""The ERP that takes the exports, and the shop and back office behind the others: those of the demo, with faults of our own."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from back_office import BackOffice
from orders import Order
from receivers import Fault, Receiver

# What a destination does to the exports of the shop `flaky`, one after another.
MOODS = (
    [Fault.SERVER_ERROR],
    [Fault.ANSWER_LOST],
    [Fault.TOO_MANY],
    [Fault.TOO_SLOW],
    # As often as an export is tried, so that it is in error until it is reset.
    [Fault.SERVER_ERROR] * 4,
    [Fault.ANSWER_LOST, Fault.SERVER_ERROR],
)


class Erp(Receiver):
    """Honours the idempotency key, and asks for a token."""

    def __init__(self, token: str) -> None:
        self._token = token
        super().__init__("erp", "/orders", {})

    def problem(self, headers: Mapping[str, str], body: bytes) -> str | None:
        if headers.get("Authorization") != f"Bearer {self._token}":
            return "no bearer token, or a wrong one"
        return super().problem(headers, body)

    def expect(self, orders: Iterable[Order]) -> None:
        """Gives orders of the shop `flaky` their faults."""
        for order in orders:
            if order.shop == "flaky":
                self._faults[f"flaky:{order.id}:flaky"] = list(MOODS[int(order.id[-6:]) % len(MOODS)])

    def keys(self) -> dict[tuple[str, str], set[str]]:
        """The idempotency keys under which each export was accepted: more than one is a second order."""
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for key in list(self.accepted):
            _, order, pipeline = key.split(":")
            found[order, pipeline].add(key)
        return found


class Shop(BackOffice):
    """Says what an order is like, and cancels it. Counts how often it was asked to."""

    def __init__(self, token: str) -> None:
        self.cancels: Counter[str] = Counter()
        self._counting = threading.Lock()
        super().__init__(token)

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, object]:
        if method == "POST" and path.endswith("/cancel"):
            with self._counting:
                self.cancels[path.split("/")[-2]] += 1
        return super().answer(method, path, authorization, body)
