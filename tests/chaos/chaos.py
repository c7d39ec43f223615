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
from dataclasses import replace
from functools import partial
from pathlib import Path

# First, as it finds the modules of infra/.
import world
from world import CONFIG, FOLDER, ROOT

import report
from checks import Check
from deploy import read_secrets
from destinations import Erp, Shop
from episode import Episode, Extent, Findings
from faults import Plan
from ledger import Ledger
from local_stack import FAILURES, INTERRUPTS, stage_config
from orders import few, made
from phases import CURSES, LONG_OUTAGES, RUN_SECONDS, Trial
from webhooks import Shops

ERP, SHOP = "127.0.0.1:9501", "127.0.0.1:9502"
# Seconds for which a function meets faults in a part of the trial, for each time that a call is to meet each fault.
PATIENCE = 30.0
# How often some orders more come in, at most, for the faults that were never made.
ROUNDS_AT_MOST = 12
# As many as these are told one by one.
TOLD = 20
BEGAN = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.0f} s  {text}", flush=True)


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
            look = partial(Check, trial.shops.accepted, ledger, erp, shop, stack.gate.met)
            extent = Extent(args.wave, CURSES, args.cursed, 3 * args.share)
            episode, found = Episode(trial, look, secrets["ordersync/responses/chaos"], extent), Findings()
            secret = secrets["ordersync/webhooks/chaos"]
            episode.play(list(made(args.orders, secret, args.seed)), found)
            if args.complete:
                complete(episode, found, secret, args.orders)
            return report.tell(report.Result(trial, found, time.monotonic() - BEGAN), args.report, args.complete)
    finally:
        erp.stop()
        shop.stop()


def complete(episode: Episode, found: Findings, secret: str, first: int) -> None:
    """Has some orders more come in, until each call has met each kind of fault."""
    plan = episode.trial.plan
    plan.is_thorough, episode.extent = True, replace(episode.extent, curses=LONG_OUTAGES, cursed=6)
    for _ in range(ROUNDS_AT_MOST):
        if not (untried := plan.untried()):
            return
        say(f"{len(untried)} combinations of a call and a fault were never made: some orders more for these")
        for combination in untried if len(untried) <= TOLD else ():
            say(f"  {combination}")
        orders = few(first, secret)
        episode.play(orders, found)
        first += len(orders)


def main() -> int:
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=3000, help="how many orders come in (default: 3000)")
    parser.add_argument("--wave", type=int, default=1000, help="how many of them at a time (default: 1000)")
    parser.add_argument("--share", type=int, default=2, help="how often a call meets each kind of fault (default: 2)")
    parser.add_argument("--cursed", type=int, default=4, help="orders of a wave for each fault at all deliveries (default: 4)")
    parser.add_argument("--complete", action="store_true", help="have some orders more come in until each call has met each kind of fault")
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
