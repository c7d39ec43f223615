"""What `sam local` works on: the local stack, the configuration for it, the built project, the variables."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import stack  # noqa: E402
from bundle import BundleError  # noqa: E402
from deploy import DeployError  # noqa: E402
from emulator import CREDENTIALS, REGION, EmulatorError  # noqa: E402

STATE = ROOT / ".local" / "sam"
EVENTS = ROOT / "events"
SAM = str(Path(sys.executable).parent / "sam")
# The address that config/ordersync.toml has in place of ours.
HOSTS = "192.0.2.1:9411"
# sam's functions work here, not the emulator's: nothing takes messages from the queue, nothing runs by itself.
PARAMETERS = {
    "ProcessingEnabled": "false",
    "ResetErrorsEnabled": "false",
    "ReleaseEnabled": "false",
    "CancelStaleEnabled": "false",
    "CleanupEnabled": "false",
}
# What the functions have of the stack. The address of AWS comes beside them.
VARIABLES = ("QUEUE_URL", "DLQ_URL", "TABLE", "BUCKET")
# Of these, what the console calls otherwise.
OF_THE_CONSOLE = {"DEAD_LETTER_QUEUE_URL": "DLQ_URL", "PROCESSOR": "FN_PROCESSOR"}
# sam cannot read a route whose authorizer depends on a condition.
NO_AUTHORIZER = ("--disable-authorizer",)

FAILURES = (BundleError, DeployError, EmulatorError)


class SamError(Exception):
    """sam did not do what it was asked for; the message has what it said."""


def stage_config(hosts: str) -> Path:
    """The shops of events/ and ours, with our address in the place of the one that the document has."""
    staged = STATE / "config"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    platform = 'platform = "adobe-io-events"'
    shops = (EVENTS / "shops.toml").read_text(encoding="utf-8")
    shops = shops.replace(platform, f'{platform}\npublic_keys = "http://{HOSTS}"')
    document = shops + "\n" + (HERE / "config" / "ordersync.toml").read_text(encoding="utf-8")
    (staged / "ordersync.toml").write_text(document.replace(HOSTS, hosts), encoding="utf-8")
    (staged / "secrets.json").write_text(json.dumps(read_secrets()))
    return staged


def read_secrets() -> dict[str, Any]:
    files = (EVENTS / "secrets.json", HERE / "config" / "secrets.json")
    return {name: value for file in files for name, value in json.loads(file.read_text()).items()}


@contextmanager
def alone() -> Iterator[None]:
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SamError("another `make sam-local` is running") from None
        yield


@contextmanager
def running_stack(config: Path, binaries: Path) -> Iterator[dict[str, str]]:
    """Gives the variables of stack.env."""
    try:
        with stack.locked(STATE):
            environment = stack.start_afresh(STATE, config, binaries, PARAMETERS)
        yield environment
    finally:
        with stack.locked(STATE):
            stack.end(STATE)


class Project:
    """The template and the functions as they were deployed to the stack, for sam."""

    def __init__(self, environment: Mapping[str, str], aws: str, image: list[str]) -> None:
        values = {name: environment[name] for name in VARIABLES} | {"AWS_ENDPOINT_URL": f"http://{aws}"}
        values |= {name: environment[known] for name, known in OF_THE_CONSOLE.items()}
        (STATE / "env.json").write_text(json.dumps({"Parameters": values}, indent=2) + "\n")
        # Relative, and so the same for who types them.
        self.options = ["--template", "build/template.yaml", "--env-vars", "env.json", "--skip-pull-image", *image]
        self.environment = {
            **os.environ,
            **CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION,
            # sam asks IAM for AWS's own policies whenever it reads a template.
            "AWS_ENDPOINT_URL": environment["AWS_ENDPOINT_URL"],
            "SAM_CLI_TELEMETRY": "0",
            # An AWS profile of the caller's must not reach the functions.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def build(self) -> None:
        """The functions are built: sam takes them as they are (SkipBuild)."""
        self._run(["build", "--template", "stack/template.yaml", "--build-dir", "build"])

    def invoke(self, function: str, event: Path) -> str:
        """Gives what the function answered."""
        return self._run(["local", "invoke", function, "--event", str(event), *self.options])

    def _run(self, arguments: list[str]) -> str:
        done = subprocess.run([SAM, *arguments], cwd=STATE, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SamError(f"sam {' '.join(arguments)} failed:\n{done.stderr.strip()}")
        return done.stdout

    def start_api(self, port: int, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as output:
            return subprocess.Popen(
                [SAM, "local", "start-api", *NO_AUTHORIZER, "--port", str(port), "--warm-containers", "LAZY", *self.options],
                cwd=STATE,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
