"""What the stack holds: rows of its ledger, objects of its bucket, messages of its queues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from deploy import client

# Everything but the raw order.
ATTRIBUTES = (
    "pk",
    "sk",
    "number",
    "order_number",
    "status",
    "attempts",
    "history",
    "last_error",
    "external_id",
    "destination",
    "exported_at",
    "waits_for",
)


@dataclass(frozen=True)
class Row:
    shop: str
    order_id: str
    pipeline: str
    number: str
    status: str
    attempts: int
    # What went wrong with each attempt that failed, and what the destination answered; oldest first.
    failures: tuple[str, ...]
    last_error: str
    external_id: str
    destination: str
    exported_at: datetime | None
    # Why it waits, where that is not for another attempt.
    waits_for: str

    @property
    def is_over(self) -> bool:
        return self.status not in ("pending", "processing")


Rows = dict[tuple[str, str, str], Row]


@dataclass(frozen=True)
class Stored:
    """An object of the bucket, with how often it was written."""

    body: bytes
    export: str
    versions: int


class StackView:
    def __init__(self, environment: Mapping[str, str]) -> None:
        port = int(environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
        self.api = environment["API_URL"]
        self.bucket = environment["BUCKET"]
        self.table = environment["TABLE"]
        self._queue = environment["QUEUE_URL"]
        self._dead_letters = environment["DLQ_URL"]
        self._dynamodb = client("dynamodb", port)
        self._sqs = client("sqs", port)
        self._s3 = client("s3", port)
        self._functions = client("lambda", port)
        self._names = {name.removeprefix("FN_"): value for name, value in environment.items() if name.startswith("FN_")}

    def rows(self) -> Rows:
        rows = [read_row(item) for item in self.exports(ATTRIBUTES)]
        return {(row.shop, row.order_id, row.pipeline): row for row in rows}

    def exports(self, attributes: Iterable[str]) -> list[dict[str, Any]]:
        """These attributes of every export, as the table has them."""
        names = {f"#{name}": name for name in attributes}
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self.table,
            ConsistentRead=True,
            ProjectionExpression=", ".join(names),
            ExpressionAttributeNames=names,
        )
        # Pauses are in the table too; they are no exports.
        return [item for page in pages for item in page["Items"] if "#" in item["pk"]["S"]]

    def row(self, shop: str, order_id: str, pipeline: str) -> Row | None:
        key = {"pk": {"S": f"{shop}#{order_id}"}, "sk": {"S": pipeline}}
        item = self._dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return read_row(item) if item else None

    def pause(self, pipeline: str, state: str) -> None:
        """Pauses a pipeline, or resumes it, as docs/pausing.md says."""
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        item = {"pk": "control", "sk": f"pause#{pipeline}", "state": state, "since": now}
        self._dynamodb.put_item(TableName=self.table, Item={name: {"S": value} for name, value in item.items()})

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Runs a function and gives its answer."""
        answer = self._functions.invoke(FunctionName=self._names[function], Payload=json.dumps(event))
        said = json.loads(answer["Payload"].read() or "null")
        return said if "FunctionError" not in answer else {"error": said}

    def put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def keys(self) -> list[str]:
        """Every object of the bucket."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def queued(self) -> int:
        """Messages in the queue, those in flight included."""
        return self._count(self._queue)

    def dead(self) -> int:
        """Messages in the dead-letter queue."""
        return self._count(self._dead_letters)

    def _count(self, queue: str) -> int:
        counts = (
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        )
        attributes = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(counts))["Attributes"]
        return sum(int(attributes.get(count, 0)) for count in counts)

    def objects(self) -> dict[str, Stored]:
        """The exports in the bucket by key: all but what ordersync keeps there for itself."""
        versions: dict[str, int] = {}
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            for version in page.get("Versions", []):
                if not version["Key"].startswith("payloads/"):
                    versions[version["Key"]] = versions.get(version["Key"], 0) + 1
        return {key: self._stored(key, count) for key, count in versions.items()}

    def _stored(self, key: str, versions: int) -> Stored:
        answer = self._s3.get_object(Bucket=self.bucket, Key=key)
        return Stored(answer["Body"].read(), answer["Metadata"].get("ordersync-export", ""), versions)


def failure(attempt: Mapping[str, Any]) -> str:
    """The error, and behind it the body of the answer, of which the first line is the status."""
    _, _, body = attempt.get("response", {}).get("S", "").partition("\n")
    return ": ".join(filter(None, (attempt["error"]["S"], " ".join(body.split()))))


def read_row(item: Mapping[str, Any]) -> Row:
    def text(name: str) -> str:
        return item.get(name, {}).get("S", "")

    shop, _, order_id = text("pk").partition("#")
    attempts = [attempt["M"] for attempt in item.get("history", {}).get("L", [])]
    return Row(
        shop=shop,
        order_id=order_id,
        pipeline=text("sk"),
        number=text("number") or text("order_number") or order_id,
        status=text("status"),
        attempts=int(item.get("attempts", {}).get("N", 0)),
        failures=tuple(failure(attempt) for attempt in attempts if "error" in attempt),
        last_error=text("last_error"),
        external_id=text("external_id"),
        destination=text("destination"),
        exported_at=datetime.fromisoformat(text("exported_at").replace("Z", "+00:00")) if text("exported_at") else None,
        waits_for=text("waits_for"),
    )
