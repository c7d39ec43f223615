"""A stack as the pictures show it: the demo's orders, some that fail, and a week behind them."""

from __future__ import annotations

import argparse
import copy
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import later
import plan as planning
import show
import stack
from demo import ADDRESSES, OFFICE, running_office, running_receivers
from deploy import client, read_secrets
from local_stack import CONFIG, FOLDER, PARAMETERS, ROOT, running_stack, stage_config
from sending import send_and_watch
from stack_view import StackView

# Of each export that was made, so many in the week before.
COPIES = 25
WEEK = 7 * 24
# When the ERP was down, in hours before now.
OUTAGE = range(27, 30)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LAST = re.compile(r"\d{1,3}$")
FOLDER_IN_S3 = "s3://ordersync-screenshots/demo"


@dataclass(frozen=True)
class Stage:
    """Where the console is, who signs in, and an order that failed at the ERP."""

    console: str
    user: str
    password: str
    order: str


@contextmanager
def staged(binaries: Path) -> Iterator[Stage]:
    secrets = read_secrets(CONFIG)
    plan = planning.make(secrets, datetime.now(timezone.utc))
    with running_receivers(plan, secrets) as receivers, running_office(secrets) as office:
        addresses = {ADDRESSES[name]: receiver.address for name, receiver in receivers.items()}
        config = stage_config({**addresses, OFFICE: office.address})
        with running_stack(config, binaries, keep=False) as environment:
            view = StackView(environment)
            show.title("The orders of the demo")
            outcome = send_and_watch(plan, view)
            for problem in outcome.problems:
                print(f"  {problem}")
            show.title("Orders that their destination does not take")
            scene = later.Stage(view, office, secrets["demo-later-webhook"])
            office.is_broken = True
            for number in range(2001, 2005):
                scene.place(f"L-{number}")
                scene.becomes(f"L-{number}", "books", "error")
            port = int(environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
            fill_a_week(client("dynamodb", port), view)
            show.title("The configuration, where it can be changed")
            environment = move_configuration(config, binaries, port, environment)
            failed = next(row.number for row in view.rows().values() if (row.pipeline, row.status) == ("erp", "error"))
            yield Stage(environment["CONSOLE_URL"], environment["CONSOLE_USER"], environment["CONSOLE_PASSWORD"], failed)


def move_configuration(config: Path, binaries: Path, port: int, before: dict[str, str]) -> dict[str, str]:
    """Puts it into a bucket that keeps versions, and deploys once more with it."""
    s3 = client("s3", port)
    bucket, _, prefix = FOLDER_IN_S3.removeprefix("s3://").partition("/")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for path in config.iterdir():
        if path.name != "secrets.json":
            s3.upload_file(str(path), bucket, f"{prefix}/{path.name}")
    parameters = {**PARAMETERS, "ConfigUri": FOLDER_IN_S3}
    stack.up(
        argparse.Namespace(
            state=FOLDER,
            port=None,
            config=config,
            binaries=binaries,
            template=ROOT / "template.yaml",
            functions_endpoint=None,
            parameters=list(parameters.items()),
        )
    )
    lines = (FOLDER / "stack.env").read_text(encoding="utf-8").splitlines()
    return before | dict(line.split("=", 1) for line in lines)


def fill_a_week(dynamodb: Any, view: StackView) -> None:
    """Copies of the exports in the place of those that were made just now, at hours of the week before, so that the charts
    have something to show."""
    chance = random.Random(1)
    items = dynamodb.scan(TableName=view.table)["Items"]
    failed = {item["pk"]["S"] for item in items if item.get("status", {}).get("S") == "error"}
    made = []
    for item in items:
        status = item.get("status", {}).get("S")
        if status == "exported" and item["pk"]["S"] not in failed:
            made += [shifted(item, number, busy_hour(chance)) for number in range(COPIES)]
            dynamodb.delete_item(TableName=view.table, Key={name: item[name] for name in ("pk", "sk")})
        elif status == "error" and item["sk"]["S"] == "erp":
            made += [shifted(item, number, chance.choice(OUTAGE)) for number in range(9)]
    for begin in range(0, len(made), 25):
        requests = [{"PutRequest": {"Item": item}} for item in made[begin : begin + 25]]
        dynamodb.batch_write_item(RequestItems={view.table: requests})


def busy_hour(chance: random.Random) -> int:
    """Hours before now: most of them of a day on which people buy."""
    now = datetime.now(timezone.utc)
    while True:
        hours = chance.randrange(1, WEEK - 1)
        hour = (now - timedelta(hours=hours)).hour
        if chance.random() < (0.9 if 17 <= hour <= 21 else 0.5 if 8 <= hour <= 22 else 0.08):
            return hours


def shifted(item: dict[str, Any], number: int, hours: int) -> dict[str, Any]:
    """The same export of another order, so many hours earlier."""
    made = earlier(copy.deepcopy(item), timedelta(hours=hours, minutes=number))
    made["pk"]["S"] += f"{number:02}"
    for name in ("number", "order_number"):
        if name in made:
            made[name]["S"] = LAST.sub(f"{number:03}", made[name]["S"])
    # What is looked for by these is to be found once.
    for name in ("unpaid_key", "external_id"):
        made.pop(name, None)
    return made


def earlier(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {name: earlier(inner, by) for name, inner in value.items()}
    if isinstance(value, list):
        return [earlier(inner, by) for inner in value]
    if isinstance(value, str) and TIME.fullmatch(value):
        at = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ") - by
        return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return value
