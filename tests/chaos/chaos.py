"""Makes every kind of fault at every call of every function, and looks what became of the orders.

`make chaos` is the ordinary way to call this. It starts a stack of its own and ends it again. It fails where an order
was lost or came twice, where something is left over, or where a call never met a kind of fault.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

# First, as it finds the modules of infra/.
import world
from world import CONFIG, FOLDER, ROOT

import report
from checks import Check, left_by_cleanup
from deploy import read_secrets
from destinations import Erp, Shop
from faults import Plan
from ledger import Ledger
from local_stack import FAILURES, INTERRUPTS, stage_config
from orders import SHARES, Order, made
from phases import RUN_SECONDS, Trial, sample
from webhooks import Shops

ERP, SHOP = "127.0.0.1:9501", "127.0.0.1:9502"
# The shop whose exports cleanup removes: they are looked at before that.
OLD = "old"
# Seconds for which a function meets faults in a part of the trial, for each time that a call is to meet each fault.
PATIENCE = 30.0
# As long as orders come in, there are faults.
A_WAVE = 3600.0
BEGAN = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.0f} s  {text}", flush=True)


def come_in(trial: Trial, orders: list[Order], each: int) -> None:
    """Orders come in, and what the faults leave of them is recovered."""
    outages = trial.curse(sample(orders, len(orders), 1), each)
    say(f"{len(orders)} orders come in, faults at intake and the processor")
    with trial.faults_at("intake", 0.35, A_WAVE), trial.faults_at("processor", 0.3, A_WAVE):
        trial.take_in(orders)
    for order in outages:
        trial.plan.curses.pop(order, None)
    say("what is left is recovered, faults at the processor and at reset-errors")
    with trial.faults_at("processor", 0.3), trial.faults_at("reset-errors", 0.25):
        trial.settle()


def go_on(trial: Trial, secret: str) -> None:
    """What happens to orders later, side by side: no two of these are about the same orders."""
    say("answers come, orders go stale and old; faults at responses, cancel-stale and cleanup")
    later: dict[str, Callable[[], None]] = {
        "responses": lambda: trial.answer_later(secret),
        "cancel-stale": trial.cancel_stale,
        "cleanup": trial.clean_up,
    }

    def play(function: str) -> None:
        with trial.faults_at(function, 0.25, 2 * trial.patience):
            later[function]()

    with ThreadPoolExecutor(len(later)) as pool:
        list(pool.map(play, later))
    say("what is left of that is recovered, faults at reset-errors")
    with trial.faults_at("reset-errors", 0.25):
        trial.end_silence()
        trial.settle()


def run(args: argparse.Namespace) -> bool:
    plan, secrets = Plan(args.share, args.seed), read_secrets(CONFIG)
    erp, shop = Erp(secrets["ordersync/destinations/chaos"]), Shop(secrets["ordersync/shops/chaos"])
    config = stage_config({ERP: erp.address, SHOP: shop.address}, CONFIG, FOLDER)
    try:
        with world.running(plan, config, args.binaries) as stack:
            ledger = Ledger(stack.environment)
            for function, seconds in RUN_SECONDS.items():
                ledger.limit(function, seconds)
            trial = Trial(plan, ledger, Shops(ledger.api), erp, shop, say, PATIENCE * args.share)
            orders = list(made(args.orders, secrets["ordersync/webhooks/chaos"], args.seed))
            for at in range(0, len(orders), args.wave):
                come_in(trial, orders[at : at + args.wave], args.cursed)
            look = partial(Check, trial.shops.accepted, ledger, erp, shop, stack.gate.met)
            before = look({OLD})
            outcome = before.outcome()
            go_on(trial, secrets["ordersync/responses/chaos"])
            check = look(SHARES.keys() - {OLD})
            outcome.merge(check.outcome())
            say("orders are erased, faults at cleanup")
            large = [order for order in trial.shops.accepted.values() if order.shop == "large"]
            with trial.faults_at("cleanup", 0.25):
                trial.erase(sample(large, 3 * args.share, 2))
            after = list(left_by_cleanup(before, look(()), trial.erased))
            result = report.Result(plan, trial, check, outcome, after, time.monotonic() - BEGAN)
            return report.tell(result, args.report, args.complete)
    finally:
        erp.stop()
        shop.stop()


def main() -> int:
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=3000, help="how many orders come in (default: 3000)")
    parser.add_argument("--wave", type=int, default=1000, help="how many of them at a time (default: 1000)")
    parser.add_argument("--share", type=int, default=2, help="how often a call meets each kind of fault (default: 2)")
    parser.add_argument("--cursed", type=int, default=4, help="orders of a wave for each fault at all deliveries (default: 4)")
    parser.add_argument("--complete", action="store_true", help="fail if some call never met some kind of fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--binaries", type=Path, default=built, help="folder of the functions (default: target/debug)")
    parser.add_argument("--report", type=Path, help="page to write the table to")
    args = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    # `kill` ends the tests as Ctrl-C does.
    for number in INTERRUPTS:
        signal.signal(number, interrupt)
    try:
        return 0 if run(args) else 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (*FAILURES, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
