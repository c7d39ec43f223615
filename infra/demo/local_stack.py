"""The demo's own local stack, by the modules of infra/local: there while it is needed, and gone whatever happens."""

from __future__ import annotations

import fcntl
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import stack  # noqa: E402
from bundle import BundleError  # noqa: E402
from deploy import DeployError  # noqa: E402
from emulator import Emulator, EmulatorError  # noqa: E402

CONFIG = HERE / "config"
LOCAL = ROOT / ".local"
FOLDER = LOCAL / "demo"
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A lease lasts as long as the processor's time: short, so that nobody waits for one that is not needed any more.
PARAMETERS = {"ProcessorTimeout": "10", "VisibilityTimeout": "60"}


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


FAILURES = (DemoError, BundleError, DeployError, EmulatorError)


@contextmanager
def alone() -> Iterator[None]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError("another demo is running") from None
        yield


def stage_config(addresses: Mapping[str, str], config: Path = CONFIG, folder: Path = FOLDER) -> Path:
    """A copy of the configuration, in the folder, with other addresses in place of those that it names."""
    staged = folder / "config"
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(config, staged)
    document = staged / "ordersync.toml"
    text = document.read_text(encoding="utf-8")
    for named, real in addresses.items():
        text = text.replace(named, real)
    document.write_text(text, encoding="utf-8")
    return staged


@contextmanager
def running_stack(config: Path, binaries: Path, keep: bool) -> Iterator[dict[str, str]]:
    """Gives the variables of stack.env. The stack ends with the demo, unless it is to be kept and the demo got to
    its end: then it is the ordinary one in .local, which `make logs` and `make down` mean."""
    state = LOCAL if keep else FOLDER
    if keep and Emulator(state).running():
        raise DemoError("a local stack is running already; end it with `make down` first")
    is_kept = False
    try:
        with stack.locked(state):
            environment = stack.start_afresh(state, config, binaries, PARAMETERS)
        yield environment
        is_kept = keep
    finally:
        # A second Ctrl-C must not leave anything running.
        for number in INTERRUPTS:
            signal.signal(number, signal.SIG_IGN)
        if not is_kept:
            with stack.locked(state):
                stack.end(state)
