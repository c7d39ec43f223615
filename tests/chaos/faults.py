"""Which fault a call gets, and how often each kind was made. Decisions only; the gate carries them out."""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from enum import Enum

from calls import Call

MOST_OF_AN_ORDER = 3
# How much likelier than otherwise a call meets a fault that is behind the other calls of its function, or ahead of them.
BEHIND = 2.5
AHEAD = 0.2


class Fault(Enum):
    """What goes wrong with a call, in the words of the report."""

    THROTTLED = "throttled once"
    THROTTLED_ALL = "throttled throughout"
    FAILED_ALL = "HTTP 500 throughout"
    TIMEOUT = "timeout, never arrived"
    TIMEOUT_AFTER = "timeout after it took effect"
    DROPPED = "connection dropped before it"
    DROPPED_AFTER = "answer lost, took effect"
    DROPPED_AFTER_ALL = "every answer lost, took effect"
    KILLED = "kill -9 before it"
    KILLED_AFTER = "kill -9 after it took effect"

    @property
    def is_of_all(self) -> bool:
        """Whether it meets every attempt of the client at the call."""
        return self in (Fault.THROTTLED_ALL, Fault.FAILED_ALL, Fault.DROPPED_AFTER_ALL)

    @property
    def is_kill(self) -> bool:
        return self in (Fault.KILLED, Fault.KILLED_AFTER)


@dataclass
class Cell:
    """One kind of fault at one call of one function."""

    times: int = 0
    orders: set[str] = field(default_factory=set)


# Shops whose orders may meet a fault at all deliveries.
CURSED = ("plain", "flaky", "delayed", "office", "large")


@dataclass(frozen=True)
class Curse:
    """An order whose calls from the processor to the ledger meet a fault, until it has met enough or is lifted."""

    fault: Fault
    times: int
    # Only calls about this.
    about: str = ""
    # What comes when it is over.
    then: Curse | None = None
    # Whose orders have it.
    shops: tuple[str, ...] = CURSED


class Plan:
    """Spreads each kind of fault over the calls of each function until each has had its share."""

    def __init__(self, share: int, seed: int) -> None:
        self.share = share
        self.cells: dict[tuple[str, Call, Fault], Cell] = defaultdict(Cell)
        self.calls: Counter[tuple[str, Call]] = Counter()
        # The faults that an order met in a function: a few at most, or nothing would be left but errors.
        self.of_order: Counter[tuple[str, str]] = Counter()
        self.curses: dict[str, Curse] = {}
        # Functions that get faults now, and how likely a call of theirs is to get one.
        self.chances: dict[str, float] = {}
        # Whether these functions meet instead, and for certain, what no call like it has met yet.
        self.is_thorough = False
        self._open: dict[str, Fault] = {}
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def decide(self, function: str, call: Call, orders: set[str], invocation: str) -> Fault | None:
        with self._lock:
            if fault := self._open.get(invocation):
                return fault
            if not function:
                return None
            self.calls[function, call] += 1
            fault = self._cursed(function, call, orders) or self._due(function, call, orders)
            if fault is None:
                return None
            if fault.is_of_all and invocation:
                self._open[invocation] = fault
            cell = self.cells[function, call, fault]
            cell.times += 1
            cell.orders |= orders
            for order in orders:
                self.of_order[function, order] += 1
            return fault

    def _cursed(self, function: str, call: Call, orders: set[str]) -> Fault | None:
        if function != "processor" or call.service != "DynamoDB":
            return None
        for order in orders & self.curses.keys():
            curse = self.curses[order]
            if curse.about not in ("", call.about):
                continue
            if curse.times > 1:
                self.curses[order] = replace(curse, times=curse.times - 1)
            elif curse.then:
                self.curses[order] = curse.then
            else:
                del self.curses[order]
            return curse.fault
        return None

    def _due(self, function: str, call: Call, orders: set[str]) -> Fault | None:
        chance = self.chances.get(function, 0)
        if chance and self.is_thorough:
            never = self._never(function, call)
            return self._random.choice(never) if never else None
        if not chance or self._random.random() >= chance * (BEHIND if self._is_behind(function, call) else AHEAD):
            return None
        if any(self.of_order[function, order] >= MOST_OF_AN_ORDER for order in orders):
            return None
        missing = self.missing(function, call)
        return self._random.choice(missing) if missing else None

    def _is_behind(self, function: str, call: Call) -> bool:
        """Whether no call of the function has had less. Those that come first in a run are not to end every run."""
        levels = {of: self._level(function, of) for caller, of in self.calls if caller == function}
        return levels[call] <= min(levels.values())

    def _level(self, function: str, call: Call) -> int:
        return min(self.cells[function, call, fault].times for fault in Fault)

    def missing(self, function: str, call: Call) -> list[Fault]:
        """The kinds that the call has not had its share of, those first that it had least of."""
        least = self._level(function, call)
        kinds = [fault for fault in Fault if self.cells[function, call, fault].times == least]
        return kinds if least < self.share else []

    def _never(self, function: str, call: Call) -> list[Fault]:
        return [fault for fault in Fault if not self.cells[function, call, fault].times]

    def untried(self) -> list[str]:
        """Faults that were never made, with their calls."""
        with self._lock:
            return sorted(
                f"{function}: {call}: {fault.value}"
                for function, call in self.calls
                for fault in self._never(function, call)
            )

    def made(self, function: str) -> int:
        """How many faults the function has met."""
        with self._lock:
            return sum(cell.times for (of, _, _), cell in self.cells.items() if of == function)
