"""The shops: webhooks in the platforms' real shapes, of events/webhooks, each an order of its own and signed now."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parents[2] / "events" / "webhooks"

Body = dict[str, Any]
Headers = dict[str, str]


@dataclass(frozen=True)
class Line:
    """What was bought, as far as the demo compares it."""

    sku: str
    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class Order:
    """What the webhook says, read from it apart from ordersync."""

    id: str
    number: str
    placed_at: datetime
    currency: str
    total: Decimal
    tax: Decimal
    shipping: Decimal
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Webhook:
    shop: str
    path: str
    headers: Headers
    body: bytes
    order: Order


@dataclass(frozen=True)
class Platform:
    """Where a platform keeps what, and how it signs."""

    name: str
    shop: str
    sign: Callable[[bytes, str], Headers]
    # Texts of the sample that hold the order's identifier or number: counted up for each order.
    counted: tuple[str, ...]
    # Names of the fields that hold amounts.
    amounts: str
    # When the order was placed: path to how the platform writes it.
    times: Mapping[str, Callable[[datetime], str]]
    # Paths of the fields of `Order`, and of a line's within its element of `lines`.
    id: str
    number: str
    currency: str
    total: str
    tax: str
    shipping: str
    lines: str
    line: tuple[str, str, str]
    # Whether an element of `lines` is one of what was bought, not a part of another or a discount.
    is_sold: Callable[[Body], bool] = lambda _: True
    # PHP writes "\/" and "\u00e9".
    is_php: bool = False
    # The event's name, where it is a parameter of the subscription's URL.
    query: str = ""


def webhook(platform: Platform, number: int, factor: int, secret: str, now: datetime) -> Webhook:
    """Order `number`, from 1, of a platform's shop: `factor` times as expensive as the sample."""
    sample = (SAMPLES / f"{platform.name}.json").read_text(encoding="utf-8")
    for text in platform.counted:
        sample = sample.replace(text, counted_up(text, number))
    body = scaled(json.loads(sample), factor, re.compile(platform.amounts))
    placed_at = (now - timedelta(minutes=7 * number)).replace(microsecond=0)
    for path, write in platform.times.items():
        parent, _, name = path.rpartition("/")
        at(body, parent)[name] = write(placed_at)
    if platform.name == "shopware":
        body["timestamp"] = int(now.timestamp())
    raw = encode(body, platform.is_php)
    path = f"/webhooks/{platform.shop}" + (f"?{platform.query}" if platform.query else "")
    headers = {"Content-Type": "application/json", **platform.sign(raw, secret)}
    return Webhook(platform.shop, path, headers, raw, read(platform, raw, placed_at))


def read(platform: Platform, raw: bytes, placed_at: datetime) -> Order:
    body = json.loads(raw, parse_float=Decimal)
    sku, quantity, price = platform.line
    lines = [
        Line(at(line, sku), Decimal(at(line, quantity)), Decimal(at(line, price)))
        for line in at(body, platform.lines)
        if platform.is_sold(line)
    ]
    return Order(
        id=str(at(body, platform.id)),
        number=str(at(body, platform.number)),
        placed_at=placed_at,
        currency=at(body, platform.currency),
        total=Decimal(at(body, platform.total)),
        tax=Decimal(at(body, platform.tax)),
        shipping=Decimal(at(body, platform.shipping)),
        lines=tuple(lines),
    )


def at(node: Any, path: str) -> Any:
    for key in filter(None, path.split("/")):
        node = node[int(key)] if isinstance(node, list) else node[key]
    return node


def counted_up(text: str, number: int) -> str:
    """`N1042` counted up by two is `N1044`."""
    return re.sub(r"\d+(?=\D*$)", lambda digits: str(int(digits[0]) + number).zfill(len(digits[0])), text)


def scaled(node: Any, factor: int, amounts: re.Pattern[str], name: str = "") -> Any:
    """The document with all its amounts multiplied, each written as it was: text as text, with as many decimals."""
    if isinstance(node, dict):
        return {key: scaled(value, factor, amounts, key) for key, value in node.items()}
    if isinstance(node, list):
        return [scaled(value, factor, amounts, name) for value in node]
    if isinstance(node, bool) or not amounts.fullmatch(name):
        return node
    if isinstance(node, str) and re.fullmatch(r"-?\d+(\.\d+)?", node):
        return str(Decimal(node) * factor)
    if isinstance(node, float):
        return float(Decimal(repr(node)) * factor)
    return node * factor if isinstance(node, int) else node


def encode(body: Body, is_php: bool) -> bytes:
    text = json.dumps(body, ensure_ascii=is_php, separators=(",", ":"))
    return (text.replace("/", "\\/") if is_php else text).encode()


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def standard_signature(key: str, name: str, seconds: str, body: bytes) -> str:
    """The signature of Standard Webhooks."""
    signed = mac(base64.b64decode(key.removeprefix("whsec_")), f"{name}.{seconds}.".encode() + body)
    return f"v1,{base64.b64encode(signed).decode()}"


def sign_shopify(body: bytes, secret: str) -> Headers:
    return {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "nordlicht-kaffee.example.com",
        "X-Shopify-Event-Id": str(uuid.uuid4()),
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Hmac-Sha256": base64.b64encode(mac(secret.encode(), body)).decode(),
    }


def sign_woocommerce(body: bytes, secret: str) -> Headers:
    return {
        "X-WC-Webhook-Topic": "order.created",
        "X-WC-Webhook-Source": "https://teaandtide.example.com/",
        "X-WC-Webhook-Delivery-ID": uuid.uuid4().hex,
        "X-WC-Webhook-Signature": base64.b64encode(mac(secret.encode(), body)).decode(),
    }


def sign_magento(body: bytes, secret: str) -> Headers:
    return {"X-Magento-Signature": mac(secret.encode(), body).hex()}


def sign_shopware(body: bytes, secret: str) -> Headers:
    return {"Shopware-Shop-Signature": mac(secret.encode(), body).hex(), "SW-Version": "6.7.1.0"}


def sign_standard(body: bytes, secret: str) -> Headers:
    name, seconds = f"msg_{uuid.uuid4().hex}", str(int(datetime.now(timezone.utc).timestamp()))
    signature = standard_signature(secret, name, seconds, body)
    return {"Webhook-Id": name, "Webhook-Timestamp": seconds, "Webhook-Signature": signature}


def sign_generic(body: bytes, secret: str) -> Headers:
    return {"X-Acme-Signature": f"sha256={mac(secret.encode(), body).hex()}"}


def local(hours: int) -> Callable[[datetime], str]:
    return lambda time: time.astimezone(timezone(timedelta(hours=hours))).isoformat()


def in_format(form: str, hours: int = 0) -> Callable[[datetime], str]:
    return lambda time: time.astimezone(timezone(timedelta(hours=hours))).strftime(form)


PLATFORMS = (
    Platform(
        name="shopify",
        shop="demo-shopify",
        sign=sign_shopify,
        counted=("9131072415678934507", "#N1042", '"order_number":1042', '"number":42'),
        amounts=r"(.*_)?(price|tax|discounts?|amount|outstanding)",
        times=dict.fromkeys(("created_at", "processed_at", "updated_at"), local(2)),
        id="id",
        number="name",
        currency="currency",
        total="total_price",
        tax="total_tax",
        shipping="total_shipping_price_set/shop_money/amount",
        lines="line_items",
        line=("sku", "quantity", "price"),
    ),
    Platform(
        name="woocommerce",
        shop="demo-woocommerce",
        sign=sign_woocommerce,
        counted=("5217",),
        amounts=r"(.*_)?(price|tax|total|subtotal|discount|amount)",
        times={
            **dict.fromkeys(("date_created", "date_modified"), in_format("%Y-%m-%dT%H:%M:%S", hours=1)),
            **dict.fromkeys(("date_created_gmt", "date_modified_gmt"), in_format("%Y-%m-%dT%H:%M:%S")),
        },
        id="id",
        number="number",
        currency="currency",
        total="total",
        tax="total_tax",
        shipping="shipping_total",
        lines="line_items",
        line=("sku", "quantity", "price"),
        is_php=True,
    ),
    Platform(
        name="magento",
        shop="demo-magento",
        sign=sign_magento,
        counted=("40127", "3000000412"),
        amounts=r"(?!qty_).*(price|amount|subtotal|row_total|grand_total|total_due|invoiced|incl_tax).*",
        times=dict.fromkeys(("created_at", "updated_at"), in_format("%Y-%m-%d %H:%M:%S")),
        id="entity_id",
        number="increment_id",
        currency="order_currency_code",
        total="grand_total",
        tax="tax_amount",
        shipping="shipping_amount",
        lines="items",
        line=("sku", "qty_ordered", "price"),
        is_sold=lambda line: "parent_item_id" not in line,
        is_php=True,
        # async-events does not send the event's name.
        query="topic=sales.order.created",
    ),
    Platform(
        name="shopware",
        shop="demo-shopware",
        sign=sign_shopware,
        counted=("0197f1c7000000000000000000000002", "0197f1c7e0e07d2fa0f1c710ba100042", "10418"),
        amounts="unitPrice|totalPrice|netPrice|positionPrice|rawTotal|amountTotal|amountNet|shippingTotal|tax|price",
        times=dict.fromkeys(
            ("data/payload/order/orderDateTime", "data/payload/order/createdAt"),
            in_format("%Y-%m-%dT%H:%M:%S.000+00:00"),
        ),
        id="data/payload/order/id",
        number="data/payload/order/orderNumber",
        currency="data/payload/order/currency/isoCode",
        total="data/payload/order/amountTotal",
        tax="data/payload/order/price/calculatedTaxes/0/tax",
        shipping="data/payload/order/shippingTotal",
        lines="data/payload/order/lineItems",
        line=("payload/productNumber", "quantity", "unitPrice"),
        is_sold=lambda line: line["type"] == "product",
        is_php=True,
    ),
    Platform(
        name="standard-webhooks",
        shop="demo-standard",
        sign=sign_standard,
        counted=("ord_01K1FICTIONAL7Q2", "T-2026-0815"),
        amounts="total|subtotal|tax|discount|shipping|unit_price",
        times={"timestamp": in_format("%Y-%m-%dT%H:%M:%S.000Z"), "data/placed_at": local(9)},
        id="data/id",
        number="data/number",
        currency="data/currency",
        total="data/total",
        tax="data/tax",
        shipping="data/shipping",
        lines="data/items",
        line=("sku", "quantity", "unit_price"),
    ),
    Platform(
        name="generic",
        shop="demo-generic",
        sign=sign_generic,
        counted=("18014398509481985", "B2B/2026/00317", "7b0e6c1e-0000-4000-8000-00000000f1c7"),
        amounts="gross|net|vat|rebate|freight|each|sum",
        times={"order/ordered": local(-5)},
        id="order/uid",
        number="order/reference",
        currency="order/money/currency",
        total="order/money/gross",
        tax="order/money/vat",
        shipping="order/money/freight",
        lines="order/lines",
        line=("article", "qty", "each"),
    ),
)
