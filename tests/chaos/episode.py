"""What some orders go through from their webhooks to their end, with faults all the way, and what is found of them then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from checks import Check, Outcome, left_by_cleanup
from faults import Curse
from ledger import Item
from orders import Order
from phases import Trial, sample

# As long as orders come in, there are faults.
A_WAVE = 3600.0
# The shop whose exports cleanup removes: they are looked at before that.
OLD = "old"


@dataclass(frozen=True)
class Extent:
    """How much is done in an episode."""

    # How many orders come in at a time.
    wave: int
    # Faults at all deliveries of an order, and the orders of a wave for each of them.
    curses: Iterable[Curse]
    cursed: int
    # How many orders are erased.
    erased: int


@dataclass
class Findings:
    """What was found in all episodes."""

    outcome: Outcome = field(default_factory=Outcome)
    # What cleanup left or took that it should not have.
    after: list[str] = field(default_factory=list)
    # The rows of all orders as they were at the end, before any was erased.
    rows: dict[tuple[str, str], Item] = field(default_factory=dict)


class Episode:
    """The lives of some orders."""

    def __init__(self, trial: Trial, look: Callable[[Iterable[Order]], Check], secret: str, extent: Extent) -> None:
        self.trial, self.look, self.secret, self.extent = trial, look, secret, extent

    def play(self, orders: list[Order], found: Findings) -> None:
        trial = self.trial
        trial.orders = orders
        for at in range(0, len(orders), self.extent.wave):
            self._come_in(orders[at : at + self.extent.wave])
        before = self.look(trial.of(OLD))
        found.outcome.merge(before.outcome())
        self._go_on()
        check = self.look(order for order in orders if order.shop != OLD)
        found.outcome.merge(check.outcome())
        found.rows = check.items | found.rows
        trial.say("orders are erased, faults at cleanup")
        with trial.faults_at("cleanup", 0.25):
            trial.erase(sample(trial.of("large"), self.extent.erased, 2))
        found.after += left_by_cleanup(before, self.look(()), trial.erased)

    def _come_in(self, orders: list[Order]) -> None:
        """Orders come in, and what the faults leave of them is recovered."""
        trial = self.trial
        outages = trial.curse(sample(orders, len(orders), 1), self.extent.curses, self.extent.cursed)
        trial.say(f"{len(orders)} orders come in, faults at intake and the processor")
        with trial.faults_at("intake", 0.35, A_WAVE), trial.faults_at("processor", 0.3, A_WAVE):
            trial.take_in(orders)
        for order in outages:
            trial.plan.curses.pop(order, None)
        trial.say("what is left is recovered, faults at the processor and at reset-errors")
        with trial.faults_at("processor", 0.3), trial.faults_at("reset-errors", 0.25):
            trial.settle()

    def _go_on(self) -> None:
        """What happens to orders later, side by side: no two of these are about the same orders."""
        trial = self.trial
        trial.say("answers come, orders go stale and old; faults at responses, cancel-stale and cleanup")
        later: dict[str, Callable[[], None]] = {
            "responses": lambda: trial.answer_later(self.secret),
            "cancel-stale": trial.cancel_stale,
            "cleanup": trial.clean_up,
        }

        def play(function: str) -> None:
            with trial.faults_at(function, 0.25, 2 * trial.patience):
                later[function]()

        with ThreadPoolExecutor(len(later)) as pool:
            list(pool.map(play, later))
        trial.say("what is left of that is recovered, faults at reset-errors")
        with trial.faults_at("reset-errors", 0.25):
            trial.end_silence()
            trial.settle()
            trial.exhaust("RESET_ERRORS")
