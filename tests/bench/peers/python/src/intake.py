"""Intake: verifies Shopify's webhook, makes it durable with one SQS message, answers 202."""

import base64
import hashlib
import hmac
import json
import os
import sys
from datetime import datetime, timezone

import boto3
from botocore.exceptions import BotoCoreError, ClientError

QUEUE_URL = os.environ["QUEUE_URL"]

sqs = boto3.client("sqs")
secrets = boto3.client("secretsmanager")
secret = secrets.get_secret_value(SecretId=os.environ["WEBHOOK_SECRET_NAME"])["SecretString"].strip().encode()


def handler(event, context):
    request_id = event["requestContext"]["requestId"]
    shop = event["pathParameters"]["shop"]
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    if not is_signed(raw, event["headers"].get("x-shopify-hmac-sha256", "")):
        return refused(401, "signature_invalid", "the signature does not fit", shop, request_id)
    try:
        order = str(json.loads(raw)["id"])
    except (ValueError, KeyError, TypeError):
        return refused(400, "malformed", "expected an order with an identifier", shop, request_id)
    try:
        sqs.send_message(**message(shop, raw.decode(), event["headers"]))
    except (BotoCoreError, ClientError) as error:
        log("error", request_id, shop, error=str(error), message="the queue does not take the message")
        return refused(503, "queue_unavailable", "the order cannot be taken now", shop, request_id)
    log("info", request_id, shop, order_id=order, message=f"accepted order {order} of {shop}")
    return answer(202, {"order": order, "status": "accepted", "request_id": request_id})


def is_signed(raw, signature):
    expected = base64.b64encode(hmac.new(secret, raw, hashlib.sha256).digest())
    return hmac.compare_digest(expected, signature.encode())


def message(shop, body, headers):
    own = {name: value for name, value in headers.items() if name == "content-type" or name.startswith("x-shopify-")}
    attributes = {
        "shop": shop,
        "received_at": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
        "headers": json.dumps(own),
        "delivery_id": headers.get("x-shopify-event-id") or headers.get("x-shopify-webhook-id"),
    }
    return {
        "QueueUrl": QUEUE_URL,
        "MessageBody": body,
        "MessageGroupId": shop,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
        },
    }


def refused(status, code, message, shop, request_id):
    log("warn", request_id, shop, status=status, code=code, message=f"refused {shop}: {status} {code}")
    return answer(status, {"error": code, "message": message, "request_id": request_id})


def answer(status, body):
    headers = {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def log(level, request_id, shop, **fields):
    timestamp = datetime.now(timezone.utc).isoformat()
    line = {"timestamp": timestamp, "level": level, "request_id": request_id, "shop": shop, **fields}
    sys.stdout.write(json.dumps(line) + "\n")
