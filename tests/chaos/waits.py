"""Waits of the queue that are too long for a test: the gate has the emulator wait for less."""

from __future__ import annotations

import json
from dataclasses import replace

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from calls import Request
from emulator import CREDENTIALS, REGION

# What a message is hidden for at most, in seconds: one that comes back, and dead letters that a run of reset-errors has
# read, which stay hidden for longer than the run all the same.
MOST = {"AmazonSQS.ChangeMessageVisibility": 4, "AmazonSQS.ReceiveMessage": 18}
SIGNED = ("host", "content-type", "x-amz-target")


def sooner(asked: Request) -> Request:
    """The request with a shorter time for which a message is hidden; any other as it is."""
    most = MOST.get(asked.headers.get("x-amz-target", ""))
    if most is None:
        return asked
    body = json.loads(asked.body)
    if body.get("VisibilityTimeout", 0) <= most:
        return asked
    return signed(replace(asked, body=json.dumps({**body, "VisibilityTimeout": most}).encode()))


def signed(asked: Request) -> Request:
    """The request as the account's root would make it: the emulator checks signatures, and the body has changed."""
    kept = {name: value for name, value in asked.headers.items() if name in SIGNED}
    made = AWSRequest(asked.method, f"http://{asked.headers['host']}{asked.target}", headers=kept, data=asked.body)
    credentials = Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(credentials, "sqs", REGION).add_auth(made)
    return replace(asked, headers={name.lower(): value for name, value in made.headers.items()})
