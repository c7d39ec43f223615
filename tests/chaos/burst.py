"""microburst, which answers in the words of each AWS service: as a process of its own, with a rule for each fault."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator import HOST, endpoint, port_is_free, wait_until
from faults import Fault
from gate import MARK, SILENCE_SECONDS

START_SECONDS = 30
# How each service says that it is asked too often, with the status that it has.
THROTTLING = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "sqs": ("RequestThrottled", 400),
    "s3": ("SlowDown", 503),
    "secretsmanager": ("ThrottlingException", 400),
}
INTERNAL = {
    "dynamodb": ("InternalServerError", 500),
    "sqs": ("InternalFailure", 500),
    "s3": ("InternalError", 500),
    "secretsmanager": ("InternalServiceError", 500),
}


def rules() -> list[dict[str, Any]]:
    def errors(fault: Fault, codes: dict[str, tuple[str, int]]) -> Iterator[dict[str, Any]]:
        for service, (code, status) in codes.items():
            error = {"code": code, "status": status, "message": "a fault of the tests"}
            yield {"service": service, "headers": {MARK: fault.name}, "error": error}

    return [
        # A part of the header is enough: this is for both kinds of throttling.
        *errors(Fault.THROTTLED, THROTTLING),
        *errors(Fault.FAILED_ALL, INTERNAL),
        {"service": "*", "headers": {MARK: Fault.TIMEOUT.name}, "timeout_ms": SILENCE_SECONDS * 1000},
        {"service": "*", "headers": {MARK: Fault.DROPPED.name}, "reset": True},
    ]


@contextmanager
def running(emulator: str, port: int, folder: Path) -> Iterator[str]:
    """Gives its URL. `folder` gets its rules and its log."""
    config = folder / "microburst.yaml"
    # YAML takes JSON as it is.
    config.write_text(json.dumps({"rules": rules()}))
    with (folder / "microburst.log").open("wb") as log:
        command = [sys.executable, "-m", "microburst", "--upstream", emulator, "--host", HOST, "--port", str(port)]
        command += ["--config", str(config)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            if not wait_until(lambda: process.poll() is not None or not port_is_free(port), START_SECONDS):
                raise TimeoutError(f"microburst did not start; see {folder / 'microburst.log'}")
            if process.poll() is not None:
                raise ChildProcessError(f"microburst ended at once; see {folder / 'microburst.log'}")
            yield endpoint(port)
        finally:
            process.terminate()
            process.wait(timeout=10)
