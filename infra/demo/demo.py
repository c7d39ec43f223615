"""Posts signed orders of every platform to a local stack and shows what became of each.

`make demo` is the ordinary way to call this. It starts a stack and receivers of its own and ends them again, whatever
happens; with KEEP=1 the stack stays. It fails if any order is not where it should be, and names each.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

# First, as it finds the modules of infra/local.
from local_stack import CONFIG, FAILURES, FOLDER, INTERRUPTS, ROOT, alone, running_stack, stage_config

import documents
import later
import plan as planning
import show
import verify
from back_office import BackOffice
from deploy import read_secrets
from plan import Plan
from receivers import Erp, Mirror, Receiver
from sending import Outcome, send_and_watch
from shops import PLATFORMS
from stack_view import StackView

EXPORTS = FOLDER / "exports"
# Where config/ordersync.toml has the receivers.
ADDRESSES = {"erp": "127.0.0.1:9401", "mirror": "127.0.0.1:9402"}
OFFICE = "127.0.0.1:9403"


def run(binaries: Path, keep: bool) -> bool:
    secrets = read_secrets(CONFIG)
    plan = planning.make(secrets, datetime.now(timezone.utc))
    show.title("The local stack")
    with running_receivers(plan, secrets) as receivers, running_office(secrets) as office:
        addresses = {ADDRESSES[name]: receiver.address for name, receiver in receivers.items()}
        config = stage_config({**addresses, OFFICE: office.address})
        with running_stack(config, binaries, keep) as environment:
            view = StackView(environment)
            show.title(f"{len(plan.webhooks)} signed orders of {len(PLATFORMS)} platforms, {len(plan.exports)} exports")
            outcome = send_and_watch(plan, view)
            objects = view.objects()
            files = documents.save(EXPORTS, plan, objects, receivers)
            problems = outcome.problems + list(verify.problems(plan, outcome.rows, view, objects, receivers))

            show.title(f"The ledger (table {view.table}; s3://… is the bucket {view.bucket})")
            show.table([outcome.rows[export.row] for export in plan.exports if export.row in outcome.rows], view.bucket)
            show.title("One document of each format")
            documents.show_one_of_each(plan, files, ROOT)
            problems += later.play(view, office, secrets["demo-later-webhook"])
            show.title("The end")
    report(plan, outcome, problems, len(files))
    told_what_stays(environment if keep else None, len(outcome.rows))
    return not problems


@contextmanager
def running_receivers(plan: Plan, secrets: Mapping[str, str]) -> Iterator[dict[str, Receiver]]:
    erp = Erp(secrets["erp-token"], secrets["erp-signing"], plan.faults["erp"])
    mirror = Mirror(plan.faults["mirror"])
    try:
        yield {"erp": erp, "mirror": mirror}
    finally:
        erp.stop()
        mirror.stop()


@contextmanager
def running_office(secrets: Mapping[str, str]) -> Iterator[BackOffice]:
    office = BackOffice(secrets["demo-later-shop"])
    try:
        yield office
    finally:
        office.stop()


def told_what_stays(environment: Mapping[str, str] | None, exports: int) -> None:
    """`environment` is that of a stack that runs on."""
    if environment is None:
        print("\nThe stack has ended. KEEP=1 leaves it open, with all of this in its console: make demo KEEP=1")
        return
    print(f"\nThe stack runs on, with these {exports} exports in it, until `make down`.")
    print(f"console    {environment['CONSOLE_URL']}")
    print(f"           sign in as {environment['CONSOLE_USER']} with {environment['CONSOLE_PASSWORD']}")
    print("shell      `source .local/stack.env`, `make logs`; `target/debug/ordersync list --local`")
    print("           the receivers of erp and mirror have ended: what is exported to them now fails, and is tried again")


def report(plan: Plan, outcome: Outcome, problems: list[str], files: int) -> None:
    print(f"files      {EXPORTS.relative_to(ROOT)}/ has all {files} exported documents")
    print(
        f"time       {outcome.seconds:.1f} s, the slowest export {outcome.slowest:.1f} s with its waits before retries;"
    )
    print("           an emulator's on this machine, which says nothing about ordersync on AWS")
    if problems:
        print(f"result     {show.coloured('not everything is where it should be', 'error')}")
        for problem in problems:
            print(f"           {problem}")
        return
    counts = {status: sum(export.status == status for export in plan.exports) for status in show.STATUSES}
    retried = sum(row.status == "exported" and row.attempts > 1 for row in outcome.rows.values())
    print(f"result     {show.coloured('everything is where it should be', 'exported')}")
    print(f"           {counts['exported']} exported, each once and as its webhook says, {retried} after failures")
    print(f"           {counts['error']} refused by its destination for good, {counts['skipped']} skipped by a filter")
    print("           1 webhook sent twice and exported once, 1 forged and turned away with 401")
    print(f"           {len(later.SCENES)} scenes of what happens to orders later, each to its end")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="With KEEP=1 in the environment, the stack runs on at the end."
    )
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug"
    parser.add_argument(
        "--binaries", type=Path, default=built, help="folder of the built functions (default: target/debug)"
    )
    args = parser.parse_args()
    # Names of customers on a terminal that does not know their letters.
    sys.stdout.reconfigure(errors="replace")
    interrupts: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    # `kill` ends the demo as Ctrl-C does.
    for number in INTERRUPTS:
        signal.signal(number, interrupt)
    try:
        with alone():
            return 0 if run(args.binaries, keep=os.environ.get("KEEP") == "1") else 1
    except BrokenPipeError:
        # Whoever read the output has gone, as `head` does; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, Exception) as error:
        # An interrupt in the middle of an AWS call may come as an error of its library.
        if interrupts:
            print("interrupted", file=sys.stderr)
            return 130
        if not isinstance(error, (*FAILURES, BotoCoreError, ClientError)):
            raise
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
