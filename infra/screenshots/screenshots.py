"""Takes the pictures of docs/console.md: the demo's stack, a week of its exports, and Chromium.

`make screenshots` is the ordinary way to call this.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "infra" / "demo"))

# First, as it finds the modules of infra/local.
from local_stack import FAILURES, INTERRUPTS, alone  # noqa: E402

import pictures  # noqa: E402
from staging import staged  # noqa: E402

# Programs by the names that distributions give them.
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DRIVER = ("chromedriver", "chromium.chromedriver")


def found(names: tuple[str, ...]) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    sys.exit(f"error: {names[0]} is missing. On Debian or Ubuntu: apt-get install chromium chromium-driver")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug"
    parser.add_argument("--binaries", type=Path, default=built, help="folder of the built functions (default: target/debug)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "console", help="folder of the pictures (default: docs/console)")
    args = parser.parse_args()
    # What is missing is told before anything is started.
    programs = found(CHROMIUM), found(DRIVER)

    def interrupt(number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in INTERRUPTS:
        signal.signal(number, interrupt)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        with alone(), staged(args.binaries) as stage:
            pictures.take(stage, programs, args.out)
    except KeyboardInterrupt:
        sys.exit(130)
    except FAILURES as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
