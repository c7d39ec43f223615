"""What the local stack holds, and what is put there before an event: rows, messages, objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deploy import client

Row = dict[str, str]
Message = dict[str, Any]


class View:
    def __init__(self, environment: Mapping[str, str]) -> None:
        port = int(environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
        self.bucket = environment["BUCKET"]
        self._table = environment["TABLE"]
        self._queue = environment["QUEUE_URL"]
        self._dead_letters = environment["DLQ_URL"]
        self._processor = environment["FN_PROCESSOR"]
        self._console = environment["FN_CONSOLE"]
        self._dynamodb = client("dynamodb", port)
        self._sqs = client("sqs", port)
        self._s3 = client("s3", port)
        self._functions = client("lambda", port)

    def keep_events_for_sam(self) -> None:
        """The emulator's own functions must not be faster."""
        self._s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={})

    def process(self, event: Mapping[str, Any]) -> None:
        """Has the emulator's own processor work, where an event needs something to be there."""
        answer = self._functions.invoke(FunctionName=self._processor, Payload=json.dumps(event))
        said = json.loads(answer["Payload"].read())
        if said != {"batchItemFailures": []}:
            raise AssertionError(f"the orders that it needs could not be exported: {said}")

    def ask_console(self, event: Mapping[str, Any]) -> Any:
        """What the emulator's own console answers, where an event needs it."""
        return json.loads(self._functions.invoke(FunctionName=self._console, Payload=json.dumps(event))["Payload"].read())

    def rows(self, shop: str, order_id: str) -> dict[str, Row]:
        """The order's rows by pipeline: the attributes that are text."""
        answer = self._dynamodb.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{shop}#{order_id}"}},
        )
        items = [{name: value["S"] for name, value in item.items() if "S" in value} for item in answer["Items"]]
        return {item["sk"]: item for item in items}

    def set(self, shop: str, order_id: str, pipeline: str, values: Mapping[str, str]) -> None:
        """Writes what no function writes, such as a time that is past."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"{shop}#{order_id}"}, "sk": {"S": pipeline}},
            ConditionExpression="attribute_exists(pk)",
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
        )

    def put(self, key: str, body: bytes) -> str:
        """Gives the version."""
        return str(self._s3.put_object(Bucket=self.bucket, Key=key, Body=body)["VersionId"])

    def keys(self) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def give_up(self, record: Mapping[str, Any]) -> None:
        """Puts a message among the dead letters."""
        attributes = {
            name: {"DataType": "String", "StringValue": value["stringValue"]}
            for name, value in record["messageAttributes"].items()
        }
        self._sqs.send_message(QueueUrl=self._dead_letters, MessageBody=record["body"], MessageAttributes=attributes)

    def queued(self) -> list[Message]:
        """Takes what is in the queue."""
        return self._taken(self._queue)

    def dead(self) -> list[Message]:
        """Takes what is in the dead-letter queue."""
        return self._taken(self._dead_letters)

    def _taken(self, queue: str) -> list[Message]:
        taken: list[Message] = []
        while messages := self._sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            taken += messages
        return taken


def attribute(message: Message, name: str) -> str:
    return str(message.get("MessageAttributes", {}).get(name, {}).get("StringValue", ""))
