"""What a request to AWS is, read from its bytes: service, operation, and what the operation is about. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

# The identifiers of all orders of the fault tests, wherever they stand.
ORDER = re.compile(rb"chaos-\d{6}")
# An order's identifier stands at the beginning of its webhook.
LOOKED_THROUGH = 4096
TARGETS = {"DynamoDB_20120810": "DynamoDB", "AmazonSQS": "SQS", "secretsmanager": "Secrets Manager"}
# Which part of the bucket an object belongs to.
FOLDERS = ("payloads/inbound", "payloads/orders", "responses/done", "responses/failed", "responses", "packs", "receipts")


@dataclass(frozen=True, order=True)
class Call:
    """What a function asks of a service."""

    service: str
    operation: str
    # What of several uses of the operation it is: the state that a row is put into, the queue, the folder.
    about: str = ""

    def __str__(self) -> str:
        return f"{self.service} {self.operation}" + (f" ({self.about})" if self.about else "")


@dataclass(frozen=True)
class Request:
    method: str
    # Path and query as they came.
    target: str
    headers: Mapping[str, str]
    body: bytes

    def call(self) -> Call:
        prefix, _, operation = self.headers.get("x-amz-target", "").partition(".")
        if service := TARGETS.get(prefix):
            return Call(service, operation, ABOUT[service](operation, json.loads(self.body)))
        return of_bucket(self)

    def orders(self) -> set[str]:
        """The orders that the request names."""
        found = ORDER.findall(unquote(self.target).encode()) + ORDER.findall(self.body[:LOOKED_THROUGH])
        if self.headers.get("x-amz-target", "").startswith("AmazonSQS.SendMessageBatch"):
            found += ORDER.findall(self.body)
        return {order.decode() for order in found}

    def invocation(self) -> str:
        """The same for all attempts of a client at one call."""
        return self.headers.get("amz-sdk-invocation-id", "")


def in_table(operation: str, asked: Mapping[str, Any]) -> str:
    values = {name: next(iter(value.values())) for name, value in asked.get("ExpressionAttributeValues", {}).items()}
    if index := asked.get("IndexName"):
        partition = next((value for value in values.values() if isinstance(value, str) and "#" in value), "")
        return f"index {index}, {partition.rpartition('#')[0].partition('#')[0]}".rstrip(", ")
    key = {name: value.get("S", "") for name, value in asked.get("Key", {}).items()}
    if key.get("pk") == "control":
        return f"control, {key['sk'].partition('#')[0]}"
    return changed(values, asked.get("UpdateExpression", "")) if operation == "UpdateItem" else ""


def changed(values: Mapping[str, Any], expression: str) -> str:
    """What a change of a row is for, by what it sets."""
    if status := values.get(":set_status"):
        if status == "pending":
            waits = values.get(":set_waits_for", "to be queued" if ":set_requeued_at" in values else "retry")
            return f"pending, {waits}"
        return status
    for name, meaning in (
        (":set_payload", "keep the order"),
        (":set_payload_key", "keep the order"),
        (":set_observed_at", "what the shop said"),
        (":set_cancel_after", "hold for canceling"),
        (":set_cancel_outcome", "what came of canceling"),
        (":set_due_at", "hand out"),
        (":set_pack", "another pack"),
    ):
        if name in values:
            return meaning
    if "due_key" in expression:
        return "handed out"
    return "cancel-stale" if "cancel" in expression else "other"


def of_queue(_operation: str, asked: Mapping[str, Any]) -> str:
    return "dead letters" if "DeadLetter" in asked.get("QueueUrl", "") else ""


ABOUT = {"DynamoDB": in_table, "SQS": of_queue, "Secrets Manager": lambda *_: ""}


def of_bucket(request: Request) -> Call:
    url = urlsplit(request.target)
    query = parse_qs(url.query, keep_blank_values=True)
    key = unquote(url.path.lstrip("/").partition("/")[2])
    folder = next((folder for folder in FOLDERS if key.startswith(folder + "/")), "documents" if key else "")
    if not key:
        if "delete" in query:
            return Call("S3", "DeleteObjects")
        listed = "ListObjectVersions" if "versions" in query else "ListObjectsV2"
        prefix = query.get("prefix", [""])[0]
        return Call("S3", listed, next((folder for folder in FOLDERS if prefix.startswith(folder)), ""))
    copied = "x-amz-copy-source" in request.headers
    operation = {"PUT": "CopyObject" if copied else "PutObject", "GET": "GetObject", "HEAD": "HeadObject"}
    return Call("S3", operation.get(request.method, "DeleteObject"), folder)
