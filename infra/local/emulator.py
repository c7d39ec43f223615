"""Starts and ends the AWS emulator, and knows for certain which process is ours."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"
REGION = "us-east-1"
# No real account: the emulator takes any credentials as the account's root.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}

START_SECONDS = 60
STOP_SECONDS = 10


class EmulatorError(Exception):
    """The emulator could not be started or ended; the message says why and what to do."""


def endpoint(port: int) -> str:
    return f"http://{HOST}:{port}"


@dataclass(frozen=True)
class Process:
    """The emulator as `up` started it. `started` tells it from a later process with the same id."""

    pid: int
    started: str
    port: int


def start_time(pid: int) -> str | None:
    """When the process began, in whatever form the system tells it; None if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        told = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
        return told.stdout.strip() or None
    state, *fields = stat.rpartition(")")[2].split()
    # A zombie has ended, whether or not its parent has noticed.
    return None if state in "ZX" else fields[18]


def group_runs(group: int) -> bool:
    """Whether a process of the group runs. Zombies do not count: nothing may ever collect them."""
    if not Path("/proc/self/stat").exists():
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, member_of, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(member_of) == group and state not in "ZX":
            return True
    return False


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def port_is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def wait_until(condition, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Emulator:
    """The emulator of one state directory. Two directories never touch each other's."""

    def __init__(self, state: Path, functions_endpoint: str | None = None) -> None:
        self.state = state
        # Where the functions find AWS, if not here: a proxy that leads here.
        self.functions_endpoint = functions_endpoint
        self.log = state / "emulator.log"
        self.pid_file = state / "emulator.pid"
        self.scratch = state / "scratch"

    def recorded(self) -> Process | None:
        try:
            return Process(**json.loads(self.pid_file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            print(f"{self.pid_file} is not readable as a record of `up`; ignored")
            return None

    def running(self) -> Process | None:
        """The emulator that `up` started, if that very process still runs."""
        process = self.recorded()
        if process and start_time(process.pid) == process.started:
            return process
        return None

    def start(self, port: int) -> Process:
        """Starts the emulator on the port, or on a free one if that is 0."""
        port = port or free_port()
        if self.recorded():
            print("the emulator of an earlier `up` has gone without a `down`; starting afresh")
            self.stop()
        if not port_is_free(port):
            raise EmulatorError(f"port {port} of {HOST} is taken by another program; choose another one with PORT=...")
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        with self.log.open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env=self._environment(port),
                cwd=self.scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C does not reach it, and `down` ends the functions with it.
                start_new_session=True,
            )
        process = Process(child.pid, start_time(child.pid) or "", port)
        self.pid_file.write_text(json.dumps(asdict(process)))

        def settled() -> bool:
            return child.poll() is not None or healthy(port)

        if not wait_until(settled, START_SECONDS) or child.poll() is not None:
            self.stop()
            raise EmulatorError(f"the emulator did not start on port {port}; the end of {self.log}:\n{self.log_tail()}")
        return process

    def stop(self) -> bool:
        """Ends the emulator and the functions it runs. False if there was nothing to end."""
        process, ours = self.recorded(), self.running()
        if ours:
            self._end_group(ours.pid)
            if not wait_until(lambda: port_is_free(ours.port), STOP_SECONDS):
                raise EmulatorError(f"port {ours.port} is still taken after the emulator ended")
        self._end_left_functions()
        shutil.rmtree(self.scratch, ignore_errors=True)
        if process:
            self.pid_file.unlink()
        return ours is not None

    def log_tail(self, lines: int = 30) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def _environment(self, port: int) -> dict[str, str]:
        """Nothing of the caller's but the path: the functions inherit this, and AWS profiles,
        proxies or credentials of a developer must not reach them."""
        return {
            **CREDENTIALS,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.scratch),
            "TMPDIR": str(self.scratch),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "AWS_DEFAULT_REGION": REGION,
            # Only the functions use it.
            "AWS_ENDPOINT_URL": self.functions_endpoint or endpoint(port),
            "AWS_EC2_METADATA_DISABLED": "true",
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(port),
            # The functions run with their roles' permissions and no more.
            "AUTH": "true",
            # What would listen on more ports or look for a container engine.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent.sock",
        }

    def _end_group(self, group: int) -> None:
        for kill in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(group, kill)
            except ProcessLookupError:
                return
            if wait_until(lambda: not group_runs(group), STOP_SECONDS):
                return
        raise EmulatorError(f"the emulator (process group {group}) does not end")

    def _end_left_functions(self) -> None:
        """Functions outlive an emulator that was killed. Their binaries lie in our scratch folder."""
        for link in Path("/proc").glob("[0-9]*/exe"):
            try:
                binary = Path(os.readlink(link))
                if binary.is_relative_to(self.scratch):
                    os.kill(int(link.parent.name), signal.SIGKILL)
            except OSError:
                continue


def healthy(port: int) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{endpoint(port)}/_ministack/health", timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False
