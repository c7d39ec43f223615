"""Is everything where it should be? Each problem names its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import facts
from plan import Export, Plan
from receivers import Receiver
from stack_view import Row, Rows, StackView, Stored


def problems(
    plan: Plan, rows: Rows, view: StackView, objects: Mapping[str, Stored], receivers: Mapping[str, Receiver]
) -> Iterator[str]:
    for export in plan.exports:
        row = rows.get(export.row)
        yield from in_ledger(export, row)
        if row is None or row.status != export.status:
            continue
        if export.pipeline in receivers:
            yield from at_receiver(export, row, receivers[export.pipeline])
        else:
            yield from in_bucket(export, row.destination.removeprefix(f"s3://{view.bucket}/"), objects)
    yield from nothing_else(plan, rows, objects, receivers)
    if dead := view.dead():
        yield f"messages in the dead-letter queue: {dead}"


def in_ledger(export: Export, row: Row | None) -> Iterator[str]:
    if row is None:
        yield f"{export}: it is not in the ledger"
    elif row.status != export.status:
        reason = f" ({row.last_error})" if row.last_error else ""
        yield f"{export}: expected {export.status}, it is {row.status}{reason}"
    elif row.attempts < export.attempts:
        yield f"{export}: expected {export.attempts} attempts or more, the ledger has {row.attempts}"


def at_receiver(export: Export, row: Row, receiver: Receiver) -> Iterator[str]:
    if receiver.received[export.key] > row.attempts:
        yield f"{export}: {receiver.name} got it {receiver.received[export.key]} times in {row.attempts} attempts"
    delivery = receiver.accepted.get(export.key)
    is_exported = export.status == "exported"
    if is_exported != (delivery is not None):
        yield f"{export}: it is {row.status}, {receiver.name} has {'accepted it' if delivery else 'not accepted it'}"
    if delivery is None or not is_exported:
        return
    if export.pipeline in facts.READERS:
        yield from differences(export, delivery.body)
    elif delivery.body != export.webhook.body:
        yield f"{export}: {receiver.name} has not got the webhook byte for byte"
    else:
        for name in [name for name, value in export.webhook.headers.items() if delivery.headers.get(name) != value]:
            yield f"{export}: {receiver.name} has not got the webhook's own header {name}"
    if delivery.id != row.external_id:
        yield f"{export}: the ledger has the external id {row.external_id!r}, {receiver.name} gave {delivery.id!r}"


def in_bucket(export: Export, key: str, objects: Mapping[str, Stored]) -> Iterator[str]:
    stored = objects.get(key)
    if stored is None:
        yield f"{export}: the bucket has no object {key}"
        return
    if stored.versions != 1:
        yield f"{export}: {key} was written {stored.versions} times"
    if stored.export != export.key:
        yield f"{export}: {key} is that of {stored.export or 'nobody'}"
    yield from differences(export, stored.body)


def nothing_else(
    plan: Plan, rows: Rows, objects: Mapping[str, Stored], receivers: Mapping[str, Receiver]
) -> Iterator[str]:
    planned = {export.key for export in plan.exports}
    for shop, order, pipeline in rows.keys() - {export.row for export in plan.exports}:
        yield f"{shop} {order} to {pipeline}: it is in the ledger and should not be"
    for key, stored in objects.items():
        if stored.export not in planned:
            yield f"{stored.export or 'an unknown export'}: {key} is in the bucket and should not be"
    for receiver in receivers.values():
        for key in receiver.received.keys() - planned:
            yield f"{key}: it came to {receiver.name} and should not have"
        for reason in receiver.rejected:
            yield f"{receiver.name} turned a delivery away: {reason}"


def differences(export: Export, body: bytes) -> Iterator[str]:
    """Where an exported document does not say what the webhook said."""
    try:
        found = facts.READERS[export.pipeline](body)
    except facts.UNREADABLE as error:
        yield f"{export}: the document cannot be read: {error!r}"
        return
    for name, expected in facts.of_order(export.order).items():
        if name in found and found[name] != expected:
            yield f"{export}: {name} is {found[name]} in the document and {expected} in the webhook"
