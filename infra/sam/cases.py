"""What each event needs to find, and what has to come of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from gateway import Hosts
from view import View, attribute

Event = dict[str, Any]
SHOP = "sam-shop"
# What events/cleanup-erase-*.json ask to be forgotten: the order of webhooks/shopify.json and its customer.
ERASED_SHOP, ERASED_ORDER = "demo-shopify", "9131072415678934507"
# The order that events/responses-http.json answers for.
ANSWERED = "10042"
# And where responses-s3.json has its file.
FILE = "responses/erp/10042.json"


@dataclass
class Scene:
    """What a case plays on. `samples` are the events as they were signed for this run."""

    view: View
    hosts: Hosts
    samples: Mapping[str, Event]


@dataclass(frozen=True)
class Case:
    """`before` may change the event; `after` says in a few words what came of it, or that it is not as it should be."""

    function: str
    after: Callable[[Scene, Event, Any], str]
    before: Callable[[Scene, Event], Event] = lambda _scene, event: event


def expect(is_so: bool, problem: str) -> None:
    if not is_so:
        raise AssertionError(problem)


def utc(ago: timedelta = timedelta()) -> str:
    return (datetime.now(timezone.utc) - ago).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def own_order(order_id: str, number: str, placed: timedelta = timedelta(hours=1)) -> Event:
    """A queued order of the run's own shop."""
    order = {
        "id": order_id,
        "number": number,
        "placed_at": utc(placed),
        "currency": "EUR",
        "total": "59.00",
        "state": "pending",
        "payment": {"method": "banktransfer", "state": "open"},
        "customer": {"name": "Erika Beispiel", "email": "erika@example.com"},
        "items": [{"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": "29.50"}],
    }
    attributes = {"shop": SHOP, "received_at": utc()}
    return {
        "messageId": order_id,
        "receiptHandle": order_id,
        "body": json.dumps(order),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {name: {"stringValue": value, "dataType": "String"} for name, value in attributes.items()},
        "eventSource": "aws:sqs",
    }


def export(scene: Scene, order_id: str, number: str, placed: timedelta = timedelta(hours=1)) -> None:
    scene.view.process({"Records": [own_order(order_id, number, placed)]})


def report(answer: Any, changed: str) -> None:
    expect(answer["failed"] == 0 and answer["left"] == 0, f"reported {answer}")
    expect(answer["changed"].get(changed) == 1, f"reported {answer}")


# ---- intake


def accepted(scene: Scene, event: Event, answer: Any) -> str:
    """The message is in the queue, byte for byte as it was signed."""
    expect(answer["statusCode"] == 202, f"answered {answer['statusCode']}: {answer['body']}")
    messages = scene.view.queued()
    expect(len(messages) == 1, f"{len(messages)} messages in the queue")
    shop = event["pathParameters"]["shop"]
    expect(attribute(messages[0], "shop") == shop, f"the message is of the shop {attribute(messages[0], 'shop')!r}")
    if not event["isBase64Encoded"]:
        expect(messages[0]["Body"] == event["body"], "the message is not the webhook's body")
    return f"202, one message of {shop} in the queue"


# ---- processor


def exported(scene: Scene, event: Event, answer: Any) -> str:
    expect(answer == {"batchItemFailures": []}, f"answered {answer}")
    keys = scene.view.keys()
    for record in event["Records"]:
        shop = record["messageAttributes"]["shop"]["stringValue"]
        expect(any(key.startswith(f"archive/{shop}/") for key in keys), f"no object of {shop} in the bucket")
    rows = scene.view.rows(ERASED_SHOP, ERASED_ORDER)
    expect(rows.get("archive", {}).get("status") == "exported", f"the ledger has {rows}")
    return f"{len(event['Records'])} objects in the bucket, their rows exported"


# ---- reset-errors


def with_dead_letter(scene: Scene, event: Event) -> Event:
    scene.view.give_up(own_order("given-up", "N-given-up"))
    return event


def put_back(scene: Scene, _event: Event, answer: Any) -> str:
    report(answer, "dead_letters_put_back")
    messages = [message for message in scene.view.queued() if "given-up" in message["Body"]]
    expect(len(messages) == 1 and not scene.view.dead(), "the dead letter is not back in the queue")
    return "the dead letter is back in the queue"


def with_delayed(scene: Scene, event: Event) -> Event:
    export(scene, "delayed", "N-delayed")
    row = scene.view.rows(SHOP, "delayed")["later"]
    expect(row["status"] == "pending" and row["waits_for"] == "delay", f"the export to `later` does not wait: {row}")
    scene.view.queued()
    past = utc(timedelta(minutes=1))
    scene.view.set(SHOP, "delayed", "later", {"due_at": past, "not_before": past})
    return event


def released(scene: Scene, _event: Event, answer: Any) -> str:
    report(answer, "released")
    messages = scene.view.queued()
    expect(len(messages) == 1, f"{len(messages)} messages in the queue")
    return "the export whose time has come is in the queue"


# ---- cancel-stale


def with_unpaid(order_id: str) -> Callable[[Scene, Event], Event]:
    def before(scene: Scene, event: Event) -> Event:
        scene.hosts.orders[order_id] = "pending"
        export(scene, order_id, f"N-{order_id}", placed=timedelta(days=8))
        return event

    return before


def canceled(order_id: str) -> Callable[[Scene, Event, Any], str]:
    def after(scene: Scene, _event: Event, answer: Any) -> str:
        expect(answer["failed"] == 0 and answer["changed"], f"reported {answer}")
        expect(scene.hosts.orders[order_id] == "canceled", "the shop was not told to cancel the order")
        rows = scene.view.rows(SHOP, order_id)
        expect("canceled_at" in rows["archive"], f"the ledger has {rows}")
        return "the shop has cancelled the order, the ledger says so"

    return after


def only_counted(order_id: str) -> Callable[[Scene, Event, Any], str]:
    def after(scene: Scene, _event: Event, answer: Any) -> str:
        expect(answer["dry_run"] is True and answer["skipped"].get("would_cancel"), f"reported {answer}")
        expect(scene.hosts.orders[order_id] == "pending", "a dry run had the shop cancel an order")
        return "counted, and the shop was not told"

    return after


# ---- cleanup


def with_skipped(scene: Scene, event: Event) -> Event:
    export(scene, "declined", "N-declined")
    expect("declining" in scene.view.rows(SHOP, "declined"), "no row was skipped")
    # `retention` of config/ordersync.toml.
    time.sleep(2)
    return event


def removed(scene: Scene, _event: Event, answer: Any) -> str:
    expect(answer["failed"] == 0 and answer["left"] == 0, f"reported {answer}")
    rows = scene.view.rows(SHOP, "declined")
    expect("declining" not in rows and "archive" in rows, f"the ledger has {rows}")
    return "the row past its retention is gone, the others are there"


def with_their_order(scene: Scene, event: Event) -> Event:
    scene.view.process({"Records": scene.samples["processor"]["Records"][:1]})
    return event


def with_another_order_of_theirs(scene: Scene, event: Event) -> Event:
    record = dict(scene.samples["processor"]["Records"][0])
    record["body"] = record["body"].replace(ERASED_ORDER, "9131072415678934508")
    scene.view.process({"Records": [record]})
    return event


def erased(order_id: str) -> Callable[[Scene, Event, Any], str]:
    def after(scene: Scene, _event: Event, answer: Any) -> str:
        expect(answer["failed"] == 0 and answer["orders"] > 0, f"reported {answer}")
        expect(answer["receipt"]["complete"] is True, f"reported {answer}")
        rows = scene.view.rows(ERASED_SHOP, order_id)
        expect(
            bool(rows) and all(row["last_error"] == "erased on request" for row in rows.values()), f"the ledger has {rows}"
        )
        return "nothing is kept of the order"

    return after


# ---- responses


def with_answered(scene: Scene, event: Event) -> Event:
    export(scene, "answered", ANSWERED)
    # It is answered for twice, once by each way in.
    scene.view.set(SHOP, "answered", "erp", {"status": "exported", "external_id": "none yet"})
    return event


def with_file(scene: Scene, event: Event) -> Event:
    export(scene, "answered-by-file", "10043")
    version = scene.view.put(FILE, b'{"order":"10043","id":"ERP-2026-004712"}')
    entity = event["Records"][0]["s3"]
    entity["bucket"] |= {"name": scene.view.bucket, "arn": f"arn:aws:s3:::{scene.view.bucket}"}
    entity["object"] |= {"key": FILE, "versionId": version}
    return event


def acknowledged(scene: Scene, order_id: str, external_id: str) -> None:
    row = scene.view.rows(SHOP, order_id)["erp"]
    expect((row["status"], row.get("external_id")) == ("acknowledged", external_id), f"the ledger has {row}")


def answered(scene: Scene, _event: Event, answer: Any) -> str:
    expect(answer["statusCode"] == 200, f"answered {answer['statusCode']}: {answer['body']}")
    acknowledged(scene, "answered", "ERP-2026-004711")
    return "200, the export is acknowledged"


def file_read(scene: Scene, _event: Event, _answer: Any) -> str:
    acknowledged(scene, "answered-by-file", "ERP-2026-004712")
    keys = scene.view.keys()
    expect("responses/done/erp/10042.json" in keys and FILE not in keys, "the file is not under responses/done/")
    return "the export is acknowledged, the file set aside"


# ---- console


def signed_in(_scene: Scene, _event: Event, answer: Any) -> str:
    expect(answer["statusCode"] == 303, f"answered {answer['statusCode']}: {answer['body']}")
    cookies = answer.get("cookies") or answer.get("multiValueHeaders", {}).get("set-cookie", [])
    expect(len(cookies) == 1 and "HttpOnly" in cookies[0], f"the cookies are {cookies}")
    return "303, with the cookie of a session"


def token_of(answer: Any) -> str:
    expect(answer["statusCode"] == 200, f"answered {answer['statusCode']}: {answer['body']}")
    return json.loads(answer["body"])["token"]


def granted(_scene: Scene, _event: Event, answer: Any) -> str:
    expect("." in token_of(answer), "the token is none")
    return "200, a token for half an hour"


def with_token(scene: Scene, event: Event) -> Event:
    export(scene, "seen", "N-seen")
    event["headers"]["authorization"] = f"Bearer {token_of(scene.view.ask_console(scene.samples['console-api-token']))}"
    return event


def overview(_scene: Scene, _event: Event, answer: Any) -> str:
    expect(answer["statusCode"] == 200, f"answered {answer['statusCode']}: {answer['body']}")
    told = json.loads(answer["body"])
    exported = sum(count["count"] for count in told["counts"] if count["status"] == "exported")
    expect(exported > 0 and told["queue"] is not None, f"the overview is {told}")
    return f"200, {exported} exported"


SCHEDULED = {
    "reset-errors": Case("ResetErrorsFunction", put_back, with_dead_letter),
    "reset-errors-due": Case("ResetErrorsFunction", released, with_delayed),
    "cancel-stale": Case("CancelStaleFunction", canceled("stale-1"), with_unpaid("stale-1")),
    "cancel-stale-scheduler": Case("CancelStaleFunction", canceled("stale-2"), with_unpaid("stale-2")),
    "cancel-stale-dry-run": Case("CancelStaleFunction", only_counted("stale-3"), with_unpaid("stale-3")),
    "cleanup": Case("CleanupFunction", removed, with_skipped),
    "cleanup-erase-order": Case("CleanupFunction", erased(ERASED_ORDER), with_their_order),
    "cleanup-erase-customer": Case("CleanupFunction", erased("9131072415678934508"), with_another_order_of_theirs),
}
OTHERS = {
    "processor": Case("ProcessorFunction", exported),
    "console-sign-in": Case("ConsoleFunction", signed_in),
    "console-api-token": Case("ConsoleFunction", granted),
    "console-api-overview": Case("ConsoleFunction", overview, with_token),
    "responses-http": Case("ResponsesFunction", answered, with_answered),
    "responses-s3": Case("ResponsesFunction", file_read, with_file),
}


def case_of(name: str) -> Case:
    """The case of an event, by its file's name without `.json`."""
    if name.startswith("intake-"):
        return Case("IntakeFunction", accepted)
    return (SCHEDULED | OTHERS)[name]
