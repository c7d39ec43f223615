"""What the stack holds, as the fault tests look at it; and time that passes in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from stack_view import StackView

Item = dict[str, Any]
# What tells of a time to wait for.
TIMES = ("lease_until", "not_before", "due_at", "updated_at", "cancel_after")
ATTRIBUTES = (
    *("pk", "sk", "status", "attempts", "history", "resets", "fault", "requeued_at", "due_key", "payload_key"),
    *("inbound_key", "waits_for", "last_error", "external_id", "canceled_at", "lease_owner", "erased_at", "pack"),
    *TIMES,
)


def text(item: Mapping[str, Any], name: str) -> str:
    return item.get(name, {}).get("S", "")


def order_id(item: Mapping[str, Any]) -> str:
    return text(item, "pk").partition("#")[2]


def number(item: Mapping[str, Any], name: str) -> int:
    return int(item.get(name, {}).get("N", 0))


class Ledger(StackView):
    """Every row, and the queues and the bucket."""

    def items(self) -> dict[tuple[str, str], Item]:
        """The exports by order and pipeline."""
        return {(order_id(item), text(item, "sk")): item for item in self.exports(ATTRIBUTES)}

    def let_pass(self, minutes: int, items: Iterable[Item]) -> None:
        """Has time pass for exports: what they wait for comes that much sooner. Nobody works on them meanwhile."""
        for item in items:
            values = {name: earlier(text(item, name), minutes) for name in TIMES if text(item, name)}
            self.set(item, values)

    def set(self, item: Item, values: Mapping[str, str]) -> None:
        """Sets attributes of a row that has not changed since."""
        sets = ", ".join(f"#{name} = :{name}" for name in values)
        seen = {":seen_at": item["updated_at"], ":seen": item["status"]}
        try:
            self._dynamodb.update_item(
                TableName=self.table,
                Key={"pk": item["pk"], "sk": item["sk"]},
                UpdateExpression=f"SET {sets}",
                ConditionExpression="#updated_at = :seen_at AND #status = :seen",
                ExpressionAttributeNames={f"#{name}": name for name in {*values, "updated_at", "status"}},
                ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()} | seen,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def limit(self, function: str, seconds: int) -> None:
        """Has a function be given less time."""
        self._functions.update_function_configuration(FunctionName=self._names[function], Timeout=seconds)

    def writers(self) -> dict[str, str]:
        """Every object that is there, with the export that wrote it; nothing where no export did."""

        def writer(key: str) -> str:
            head = self._s3.head_object(Bucket=self.bucket, Key=key)
            return head["Metadata"].get("ordersync-export", "")

        keys = self.keys()
        with ThreadPoolExecutor(8) as pool:
            return dict(zip(keys, pool.map(writer, keys)))

    def move(self, key: str, to: str) -> None:
        """Puts an object elsewhere, unless it has gone meanwhile."""
        with suppress(self._s3.exceptions.NoSuchKey):
            self._s3.copy_object(Bucket=self.bucket, Key=to, CopySource={"Bucket": self.bucket, "Key": key})
            self._s3.delete_object(Bucket=self.bucket, Key=key)

    def body(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def dead_letters(self) -> list[str]:
        """What is in the dead-letter queue, for a message to people."""
        got = self._sqs.receive_message(
            QueueUrl=self._dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=1, MessageAttributeNames=["All"]
        )
        return [message["Body"][:200] for message in got.get("Messages", [])]


def earlier(time: str, minutes: int) -> str:
    moved = datetime.fromisoformat(time.replace("Z", "+00:00")) - timedelta(minutes=minutes)
    return moved.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moved.microsecond // 1000:03}Z"
