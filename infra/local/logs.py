"""Prints what the functions log. The emulator keeps it as AWS does: in CloudWatch Logs."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import Any

from deploy import Clients, Deployment, client

POLL_SECONDS = 0.5


def print_logs(deployment: Deployment, function: str | None, follow: bool) -> None:
    """Prints every line so far, of one function or of all in the order of time, then goes on if asked to."""
    names = deployment.function_names()
    if function:
        wanted = function.upper().replace("-", "_")
        if wanted not in names:
            raise SystemExit(f"error: no function {function}; there are: {', '.join(sorted(names)).lower()}")
        names = {wanted: names[wanted]}
    groups = {name: log_group(deployment, physical) for name, physical in names.items()}
    width = max(map(len, groups))
    cloudwatch = client("logs", deployment.port)
    printed: Counter[str] = Counter()
    while True:
        lines = []
        for name, group in groups.items():
            for stream, events in read_streams(cloudwatch, group).items():
                lines += [(event["timestamp"], name, event["message"].rstrip()) for event in events[printed[stream]:]]
                printed[stream] = len(events)
        for _, name, message in sorted(lines, key=lambda line: line[0]):
            print(f"{name.lower():{width}}  {message}" if len(groups) > 1 else message, flush=True)
        if not follow:
            return
        time.sleep(POLL_SECONDS)


def read_streams(cloudwatch: Clients, group: str) -> dict[str, list[dict[str, Any]]]:
    streams = defaultdict(list)
    for page in cloudwatch.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            streams[event["logStreamName"]].append(event)
    return streams


def log_group(deployment: Deployment, function: str) -> str:
    configuration = deployment.functions.get_function_configuration(FunctionName=function)
    return configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"
