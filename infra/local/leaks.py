"""Looks through all that a local stack has logged, the errors that its ledger keeps, and what the command line has said, for
secrets and personal data.

After the end-to-end tests, which send the sample orders of every platform through everything: none of it may say who ordered,
nor have a secret in it. Metrics are lines of the logs; traces there are none.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import bundle
from deploy import Deployment, client, read_secrets
from emulator import Emulator
from logs import read_streams

SAMPLES = Path("events/webhooks")
# Members of the samples that tell who somebody is. Names of countries and kinds of payment tell nothing.
PERSONAL = (
    "email", "phone", "telephone", "mobile", "firstname", "lastname", "middlename", "fullname", "street", "address1", "address2",
    "addressline", "city", "zip", "postcode", "zipcode", "company", "vat", "browserip", "customerip", "remoteip", "birth", "dob",
)
# What the tests' own orders have.
FURTHER = {"it@example.com", "unverwechselbar", "Nirgendwoweg"}
# Of users of the console, whose hashes alone are in a secret.
PASSWORDS = {"correct horse battery staple"}
# A text in a secret that is JSON; a shorter one is a name.
SHORTEST_IN_JSON = 16
# A shorter text is in too many others.
SHORTEST = 4
# Fewer lines than a run of the tests leaves many times over: a sign that nothing was looked at.
FEWEST_LINES = 500
FEWEST_LINES_OF_CLI = 20


class LeakError(Exception):
    """Something was found, or nothing was looked at."""


def plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def personal(node: Any, name: str = "") -> Iterator[str]:
    """The texts of a document that tell who somebody is."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from personal(value, plain(key))
    elif isinstance(node, list):
        for value in node:
            yield from personal(value, name)
    elif isinstance(node, str) and any(known in name for known in PERSONAL):
        yield node


def forms(secret: str) -> Iterator[str]:
    """A secret as it may be sent: as it is, in base64, and its parts."""
    yield secret
    yield base64.b64encode(secret.encode()).decode()
    yield secret.removeprefix("whsec_")
    user, colon, password = secret.partition(":")
    if colon and "\n" not in secret:
        yield password


def inside(secret: str) -> Iterator[str]:
    """The texts of a secret that is JSON: keys, hashes of passwords."""
    try:
        node = json.loads(secret)
    except ValueError:
        return
    open_nodes = [node]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, Mapping):
            open_nodes += node.values()
        elif isinstance(node, list):
            open_nodes += node
        elif isinstance(node, str) and len(node) >= SHORTEST_IN_JSON:
            yield node


def needles(config: Path) -> dict[str, str]:
    """What must not be found, and what it is."""
    found = {text: "a test's order" for text in FURTHER} | {text: "a user's password" for text in PASSWORDS}
    for sample in sorted(SAMPLES.glob("*.json")):
        found |= {text: sample.name for text in personal(json.loads(sample.read_text()))}
    for name, secret in read_secrets(config).items():
        found |= {text: f"the secret {name}" for text in (list(inside(secret)) or forms(secret))}
    return {text.strip(): what for text, what in found.items() if len(text.strip()) >= SHORTEST and not text.strip().isdigit()}


def texts(line: str) -> str:
    """A line as people read it: what is escaped in JSON is not hidden."""
    try:
        return json.dumps(json.loads(line), ensure_ascii=False)
    except ValueError:
        return line


def lines(port: int) -> Iterator[tuple[str, str]]:
    """Every line of every log group."""
    cloudwatch = client("logs", port)
    for page in cloudwatch.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            for events in read_streams(cloudwatch, group["logGroupName"]).values():
                yield from ((group["logGroupName"], event["message"]) for event in events)


def errors(port: int, table: str) -> Iterator[tuple[str, str]]:
    """What the ledger says went wrong."""
    for page in client("dynamodb", port).get_paginator("scan").paginate(TableName=table):
        for row in page["Items"]:
            attempts = [attempt["M"] for attempt in row.get("history", {}).get("L", [])]
            told = [row.get("last_error"), *(attempt.get("error") for attempt in attempts)]
            yield from ((table, text["S"]) for text in told if text)


def said(cli: Path) -> Iterator[tuple[str, str]]:
    """What the command line has said."""
    lines = cli.read_text(encoding="utf-8").splitlines() if cli.is_file() else []
    if len(lines) < FEWEST_LINES_OF_CLI:
        raise LeakError(f"the command line has said only {len(lines)} lines in {cli}; run the end-to-end tests first")
    yield from ((cli.name, line) for line in lines)


def search(told: Iterator[tuple[str, str]], wanted: Mapping[str, str]) -> tuple[int, list[str]]:
    """How many lines there were, and what was found in them."""
    lowered = {text.lower(): text for text in wanted}
    count, found = 0, set()
    for place, line in told:
        count += 1
        text = texts(line).lower()
        found |= {f"{place}: {wanted[lowered[one]]}: {lowered[one]!r} in {line.strip()[:300]}" for one in lowered if one in text}
    return count, sorted(found)


def check(state: Path, config: Path, cli: Path | None) -> None:
    process = Emulator(state).running()
    if not process:
        raise LeakError("no local stack is running")
    wanted = needles(config)
    environment = Deployment(process.port, state / "stack").environment()
    logged, found = search(lines(process.port), wanted)
    kept, in_ledger = search(errors(process.port, environment["TABLE"]), wanted)
    by_cli, in_cli = search(said(cli), wanted) if cli else (0, [])
    for one in found + in_ledger + in_cli:
        print(one, file=sys.stderr)
    if found or in_ledger or in_cli:
        raise LeakError(f"{len(found) + len(in_ledger) + len(in_cli)} secrets or personal data are where they must not be")
    if logged < FEWEST_LINES:
        raise LeakError(f"only {logged} lines were logged; run the end-to-end tests first")
    for text in list(wanted):
        # That each would have been found.
        if not search(iter([("a line", json.dumps({"message": f"to {text}."}))]), {text: ""})[1]:
            raise LeakError(f"{text!r} cannot be found")
    print(f"none of {len(wanted)} secrets and personal data is in {logged} lines of logs, {kept} errors of the ledger and {by_cli} lines of the command line")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of the stack's files (default: .local)")
    parser.add_argument("--config", type=Path, required=True, help=f"directory with {bundle.DOCUMENT} and {bundle.SECRETS}")
    parser.add_argument("--cli", type=Path, help="file with what the command line has said")
    args = parser.parse_args()
    try:
        check(args.state.resolve(), args.config, args.cli)
    except LeakError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
