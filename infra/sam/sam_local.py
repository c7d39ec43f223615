"""Runs every event of events/ through `sam local invoke`, and those that are HTTP through `sam local start-api`.

`make sam-local` is the ordinary way to call this. The functions run in containers and use a local stack of their own; each
answer is checked, and what came of it in queue, ledger, bucket and shop. It fails if any is not as it should be.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# First, as it finds the modules of infra/local.
import project as sam
from project import EVENTS, FAILURES, ROOT, STATE, Project, SamError

from botocore.exceptions import BotoCoreError, ClientError
from docker.errors import DockerException

from api import Api, running_api
from cases import Case, Scene, case_of, expect
from engine import EngineError, gateway, running_engine
from gateway import GatewayError, Hosts, forwarded
from image import ImageError, runtime_image
from view import View

# Beside the events.
NO_EVENTS = ("secrets",)


@dataclass(frozen=True)
class Outcome:
    way: str
    name: str
    told: str
    is_right: bool


class Interrupted(Exception):
    """Somebody ended the run."""


def fresh_events() -> dict[str, Any]:
    """All events by name, those that carry a signature signed now."""
    signed = STATE / "events"
    subprocess.run([sys.executable, str(EVENTS / "generate.py"), "--now", "--out", str(signed)], check=True)
    files = {file.stem: file for folder in (EVENTS, signed) for file in folder.glob("*.json")}
    return {name: json.loads(file.read_text()) for name, file in files.items() if name not in NO_EVENTS}


def ordered(names: Iterator[str]) -> list[str]:
    # What has been erased is not exported any more.
    return sorted(names, key=lambda name: (name.startswith("cleanup"), name))


def judged(way: str, name: str, play: Callable[[], str]) -> Outcome:
    try:
        outcome = Outcome(way, name, play(), True)
    except (AssertionError, KeyError, TypeError, OSError, ValueError, SamError, BotoCoreError, ClientError) as error:
        outcome = Outcome(way, name, f"{type(error).__name__}: {error}" if not str(error) else str(error), False)
    print(f"  {way:<7}{name:<26}{'' if outcome.is_right else 'WRONG: '}{outcome.told}", flush=True)
    return outcome


def invoked(project: Project, scene: Scene, name: str, case: Case) -> str:
    event = case.before(scene, copy.deepcopy(scene.samples[name]))
    file = STATE / "event.json"
    file.write_text(json.dumps(event))
    said = project.invoke(case.function, file)
    answer = json.loads(said) if said.strip() else None
    if isinstance(answer, dict) and "errorType" in answer:
        raise AssertionError(f"the function failed: {answer}")
    return case.after(scene, event, answer)


def requested(api: Api, scene: Scene, name: str, case: Case) -> str:
    event = case.before(scene, copy.deepcopy(scene.samples[name]))
    return case.after(scene, event, api.send(event))


def refused(api: Api, scene: Scene, status: int, method: str, forged: bool) -> str:
    answer = api.send(scene.samples["intake-shopify"], method, forged)
    expect(answer["statusCode"] == status, f"answered {answer}")
    expect(not scene.view.queued(), "something is in the queue")
    return f"{status}, nothing in the queue"


def over_http(api: Api, scene: Scene, only: str) -> Iterator[Outcome]:
    for name in ordered(iter(scene.samples)):
        if only in name and "rawPath" in scene.samples[name]:
            case = case_of(name)
            yield judged("http", name, lambda: requested(api, scene, name, case))
    for name, status, method, forged in (("intake, forged", 401, "POST", True), ("intake, GET", 405, "GET", False)):
        if only in name:
            yield judged("http", name, lambda: refused(api, scene, status, method, forged))


def played(project: Project, scene: Scene, only: str) -> Iterator[Outcome]:
    for name in ordered(iter(scene.samples)):
        if only in name:
            case = case_of(name)
            yield judged("invoke", name, lambda: invoked(project, scene, name, case))
    if any(only in name for name, event in scene.samples.items() if "rawPath" in event):
        with running_api(project) as api:
            yield from over_http(api, scene, only)


@contextmanager
def set_up(binaries: Path) -> Iterator[tuple[Project, Scene]]:
    secrets = sam.read_secrets()
    key = EVENTS / "adobe-keys-for-tests-only" / "public-key-for-tests-only.pem"
    hosts = Hosts(key, secrets["sam-shop-api"])
    with running_engine() as engine:
        image = runtime_image(engine)
        machine = gateway(engine)
        with hosts.listening(machine) as address, sam.running_stack(sam.stage_config(address), binaries) as environment:
            view = View(environment)
            view.keep_events_for_sam()
            with forwarded(machine, int(environment["AWS_ENDPOINT_URL"].rpartition(":")[2])) as aws:
                project = Project(environment, aws, image)
                project.build()
                yield project, Scene(view, hosts, fresh_events())


def told_how(project: Project) -> None:
    print("\nThe stack runs on until Ctrl-C. In another terminal:\n")
    print(f"  cd {STATE.relative_to(ROOT)}")
    if "DOCKER_HOST" in os.environ:
        print(f"  export DOCKER_HOST={os.environ['DOCKER_HOST']}")
    print("  set -a; source stack.env; set +a")
    options = " ".join(project.options)
    print(f"  ../venv/bin/sam local invoke IntakeFunction --event events/intake-shopify.json {options}")
    print(f"  ../venv/bin/sam local start-api --disable-authorizer {options}\n", flush=True)
    signal.pause()


def run(binaries: Path, only: str, keep: bool) -> bool:
    with set_up(binaries) as (project, scene):
        outcomes = list(played(project, scene, only))
        if not outcomes:
            raise SamError(f"no event has {only!r} in its name")
        right = sum(outcome.is_right for outcome in outcomes)
        print(f"events {len(outcomes)}, answered {right}", flush=True)
        if keep:
            told_how(project)
    return right == len(outcomes)


def interrupt(_number: int, _frame: object) -> None:
    # What ends the containers, the stack and the engine is not interrupted in its turn.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, required=True, help="folder of the built release functions")
    parser.add_argument("--only", default="", help="events whose names contain this (default: all)")
    parser.add_argument("--keep", action="store_true", help="leave everything running for sam by hand, until Ctrl-C")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with sam.alone():
            return 0 if run(args.binaries, args.only, args.keep) else 1
    except Interrupted:
        return 130
    except (*FAILURES, SamError, EngineError, ImageError, GatewayError, DockerException, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
