"""What the demo sends, what goes wrong on the way, and what must have become of each order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from receivers import Fault
from shops import PLATFORMS, Order, Webhook, webhook

ORDERS_PER_SHOP = 6

# The pipelines of config/ordersync.toml, and the shops that they serve.
ALL = tuple(platform.shop for platform in PLATFORMS)
PIPELINES = {
    "erp": ALL,
    "archive": ALL,
    "warehouse": ("demo-shopify", "demo-woocommerce"),
    "partner": ("demo-magento", "demo-shopware"),
    "mirror": ("demo-standard", "demo-generic"),
}

# Shop and number of the order, from 1 to 6: what its destination does with the first deliveries.
ERP_FAULTS: dict[tuple[str, int], list[Fault]] = {
    ("demo-shopify", 2): [Fault.SERVER_ERROR, Fault.SERVER_ERROR],
    ("demo-woocommerce", 2): [Fault.TOO_MANY],
    ("demo-magento", 3): [Fault.TOO_SLOW],
    ("demo-standard", 4): [Fault.ANSWER_LOST],
    ("demo-generic", 5): [Fault.REFUSED],
}
MIRROR_FAULTS: dict[tuple[str, int], list[Fault]] = {
    ("demo-standard", 3): [Fault.SERVER_ERROR],
}
# It costs nothing, so the filter of the pipeline erp declines it.
FREE = ("demo-woocommerce", 6)
# Its webhook is sent a second time.
TWICE = ("demo-shopify", 4)


@dataclass(frozen=True)
class Export:
    """An order on its way through a pipeline, and what must become of it."""

    webhook: Webhook
    pipeline: str
    status: str
    # At least: a slow machine may need more.
    attempts: int

    @property
    def order(self) -> Order:
        return self.webhook.order

    @property
    def row(self) -> tuple[str, str, str]:
        return self.webhook.shop, self.order.id, self.pipeline

    @property
    def key(self) -> str:
        """The idempotency key, in which all of the order's identifier but letters and digits is percent-encoded."""
        order = re.sub(rb"[^A-Za-z0-9_-]", lambda byte: b"%%%02X" % byte[0][0], self.order.id.encode()).decode()
        return f"{self.webhook.shop}:{order}:{self.pipeline}"

    def __str__(self) -> str:
        return f"{self.webhook.shop} {self.order.number} to {self.pipeline}"


@dataclass(frozen=True)
class Plan:
    """In the order in which it is sent."""

    webhooks: list[Webhook]
    repeated: Webhook
    forged: Webhook
    exports: list[Export]
    # By pipeline and idempotency key.
    faults: dict[str, dict[str, list[Fault]]]


def make(secrets: Mapping[str, str], now: datetime) -> Plan:
    webhooks: list[Webhook] = []
    exports: list[Export] = []
    faults: dict[str, dict[str, list[Fault]]] = {"erp": {}, "mirror": {}}
    repeated = None
    for number, platform in ((number, platform) for number in range(1, ORDERS_PER_SHOP + 1) for platform in PLATFORMS):
        which = (platform.shop, number)
        factor = 0 if which == FREE else number
        sent = webhook(platform, number, factor, secrets[f"{platform.shop}-webhook"], now)
        webhooks.append(sent)
        if which == TWICE:
            repeated = sent
        for export, failing in exports_of(sent, which):
            exports.append(export)
            if failing:
                faults[export.pipeline][export.key] = failing
    assert repeated
    return Plan(webhooks, repeated, forged(now), exports, faults)


def exports_of(sent: Webhook, which: tuple[str, int]) -> Iterator[tuple[Export, list[Fault]]]:
    for pipeline, shops in PIPELINES.items():
        if sent.shop not in shops:
            continue
        faults = {"erp": ERP_FAULTS, "mirror": MIRROR_FAULTS}.get(pipeline, {}).get(which, [])
        if pipeline == "erp" and which == FREE:
            yield Export(sent, pipeline, "skipped", attempts=0), []
        elif Fault.REFUSED in faults:
            yield Export(sent, pipeline, "error", attempts=len(faults)), faults
        else:
            yield Export(sent, pipeline, "exported", attempts=len(faults) + 1), faults


def forged(now: datetime) -> Webhook:
    """A webhook by somebody who does not know the shop's secret."""
    return webhook(PLATFORMS[0], ORDERS_PER_SHOP + 1, 1, "guessed", now)
