"""The stack of the fault tests, with the gate and microburst between its functions and the emulator."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "infra" / "local"), str(ROOT / "infra" / "demo")]

import burst  # noqa: E402
import stack  # noqa: E402
from emulator import Emulator, endpoint, free_port  # noqa: E402
from faults import Plan  # noqa: E402
from gate import Gate  # noqa: E402
from local_stack import INTERRUPTS  # noqa: E402
from processes import Processes  # noqa: E402

FOLDER = ROOT / ".local" / "chaos"
CONFIG = HERE / "config"
# A delivery takes seconds, so that leases, redeliveries and the redrive to the dead letters do too. Nothing runs by
# itself: the tests run the scheduled functions, and know then what they have done.
PARAMETERS = {
    "ProcessorTimeout": "8",
    "VisibilityTimeout": "10",
    "MaxReceiveCount": "4",
    "ResetErrorsEnabled": "false",
    "ReleaseEnabled": "false",
    "CancelStaleEnabled": "false",
    "CleanupEnabled": "false",
}


@dataclass(frozen=True)
class World:
    environment: Mapping[str, str]
    gate: Gate


@contextmanager
def running(plan: Plan, config: Path, binaries: Path) -> Iterator[World]:
    """Gives the stack. It ends with the tests; its log and the functions' stay in the folder."""
    port, processes = free_port(), Processes(Emulator(FOLDER).scratch)
    gate = Gate(plan, processes, free_port())
    gate.emulator = endpoint(port)
    with stack.locked(FOLDER), burst.running(endpoint(port), free_port(), FOLDER) as microburst:
        gate.microburst = microburst
        try:
            environment = stack.start_afresh(FOLDER, config, binaries, PARAMETERS, port, endpoint(gate.port))
            processes.functions |= {
                value: name.removeprefix("FN_").lower().replace("_", "-")
                for name, value in environment.items()
                if name.startswith("FN_")
            }
            yield World(environment, gate)
        finally:
            # A second Ctrl-C must not leave anything running.
            for number in INTERRUPTS:
                signal.signal(number, signal.SIG_IGN)
            stack.end(FOLDER)
            gate.stop()
