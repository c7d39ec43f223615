"""A Docker engine for `sam local`: the one that runs here, or one of our own for as long as the run takes."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker import DockerClient
from docker.errors import DockerException

START_SECONDS = 60
STOP_SECONDS = 30


class EngineError(Exception):
    """There is no Docker engine to use; the message says what to do."""


@contextmanager
def running_engine() -> Iterator[DockerClient]:
    """Gives a client of the engine. DOCKER_HOST is set where sam has to be told of it."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        with own_engine(error) as client:
            yield client
        return
    print(f"engine     Docker {client.version()['Version']}, which runs here already")
    yield client


@contextmanager
def own_engine(refusal: DockerException) -> Iterator[DockerClient]:
    program = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/usr/local/sbin:/sbin")
    if not program or os.geteuid() != 0:
        raise EngineError(
            "`sam local` runs functions in containers, and no Docker engine answers here.\n"
            "Start yours, and set DOCKER_HOST if it is not at the usual place. On Debian or Ubuntu: apt-get install docker.io;\n"
            f"run as root, this starts dockerd by itself. What was tried: {refusal}"
        )
    # Not among the state: the path of a socket may have a hundred characters at most.
    folder = Path(tempfile.mkdtemp(prefix="ordersync-engine-"))
    log = folder / "log"
    address = f"unix://{folder}/docker.sock"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            [
                program,
                *("--host", address, "--pidfile", str(folder / "pid")),
                *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
                # The machine's firewall is none of our business: published ports go through docker-proxy instead.
                *("--iptables=false", "--ip6tables=false"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for us: containers are ended before their engine.
            start_new_session=True,
        )
    before = os.environ.get("DOCKER_HOST")
    try:
        client = answering(address, daemon, log)
        os.environ["DOCKER_HOST"] = address
        print(f"engine     Docker {client.version()['Version']}, started for this run")
        yield client
    finally:
        if before is None:
            os.environ.pop("DOCKER_HOST", None)
        else:
            os.environ["DOCKER_HOST"] = before
        end(daemon)
        shutil.rmtree(folder, ignore_errors=True)


def answering(address: str, daemon: subprocess.Popen[bytes], log: Path) -> DockerClient:
    ends = time.monotonic() + START_SECONDS
    while daemon.poll() is None and time.monotonic() < ends:
        try:
            client = DockerClient(base_url=address)
            client.ping()
            return client
        except DockerException:
            time.sleep(0.2)
    said = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise EngineError(f"dockerd does not start on this machine; the end of what it said:\n{said}")


def end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def gateway(client: DockerClient) -> str:
    """The machine's address as containers see it."""
    bridge = client.networks.get("bridge").attrs
    for pool in bridge["IPAM"]["Config"] or []:
        if "Gateway" in pool:
            return str(pool["Gateway"])
        # An engine says it only once a container has been there; then it is the first of the network.
        if "Subnet" in pool:
            return str(next(ipaddress.ip_network(pool["Subnet"]).hosts()))
    raise EngineError("the engine has no network `bridge`, by which containers reach this machine")
