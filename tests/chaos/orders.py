"""The orders of the fault tests: which shop each is of, what it says, and what is to become of it."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

# How many of a hundred orders each shop has.
SHARES = {"plain": 41, "large": 6, "delayed": 9, "paced": 5, "packed": 9, "flaky": 12, "office": 10, "unpaid": 3, "old": 5}
# How many of some orders more have a shop, if not two.
FEW = {"large": 8, "flaky": 8, "office": 10, "unpaid": 10, "old": 10}
# A free order is skipped by the pipeline erp, and every tenth of its shop is free.
FREE_OF = 10
# A message has room for 1 MiB. Text at random does not become smaller than three quarters of it.
INBOUND_BYTES = 1_100_000
# More than the 32 KiB that a row keeps.
STORED_BYTES = 60_000


@dataclass(frozen=True)
class Expected:
    """What is to become of an export."""

    pipeline: str
    status: str


@dataclass(frozen=True)
class Order:
    shop: str
    id: str
    number: str
    body: bytes
    headers: dict[str, str]
    exports: tuple[Expected, ...]

    @property
    def path(self) -> str:
        return f"/webhooks/{self.shop}"


def exports(shop: str, is_free: bool) -> tuple[Expected, ...]:
    erp = Expected("erp", "skipped" if is_free else "exported")
    exported = {name: (Expected(name, "exported"),) for name in ("packed", "flaky", "paced")}
    others = {
        "plain": (erp, Expected("archive", "exported")),
        "large": (erp, Expected("archive", "exported")),
        "delayed": (Expected("later", "exported"),),
        "office": (Expected("office", "acknowledged"),),
        "unpaid": (Expected("shipping", "exported"), Expected("canceled", "exported")),
        "old": (Expected("archive", "exported"),),
    }
    return (exported | others)[shop]


def made(count: int, secret: str, seed: int) -> Iterator[Order]:
    """That many orders, of every shop from the first on, in an order that is the same for a seed."""
    choice = random.Random(seed)
    shops = list(SHARES)
    for index in range(count):
        shop = shops[index % len(shops)] if index < 2 * len(shops) else choice.choices(shops, list(SHARES.values()))[0]
        yield order(shop, index, secret, choice)


def few(first: int, secret: str) -> list[Order]:
    """Some orders more, most of them of shops whose orders later runs are about. The first has this number."""
    choice = random.Random(first)
    shops = [shop for shop in SHARES for _ in range(FEW.get(shop, 2))]
    return [order(shop, first + index, secret, choice) for index, shop in enumerate(shops)]


def order(shop: str, index: int, secret: str, choice: random.Random) -> Order:
    order_id = f"chaos-{index:06}"
    is_free = shop == "plain" and index % FREE_OF == 0
    is_unpaid = shop == "unpaid"
    placed_at = datetime.now(timezone.utc) - timedelta(days=8 if is_unpaid else 0, minutes=5)
    document = {
        "id": order_id,
        "number": f"N-{order_id}",
        "placed_at": placed_at.isoformat(timespec="seconds"),
        "currency": "EUR",
        "total": "0.00" if is_free else "129.90",
        "state": "pending" if is_unpaid else "paid",
        "payment": {"method": "banktransfer", "state": "open" if is_unpaid else "paid", "paid": not is_unpaid},
        "customer": {"email": f"{order_id}@example.com"},
        "items": [{"sku": "SKU-1", "name": "Thing", "quantity": 2, "unit_price": "64.95"}],
    }
    if shop == "large":
        document["padding"] = choice.randbytes((INBOUND_BYTES if index % 2 else STORED_BYTES) // 2).hex()
    body = json.dumps(document).encode()
    signed = {"Content-Type": "application/json", "X-Signature": signature(secret, body)}
    return Order(shop, order_id, document["number"], body, signed, exports(shop, is_free))


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
