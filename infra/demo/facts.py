"""What documents say of an order, by the names that the demo compares: each format read on its own."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from shops import Order

Facts = dict[str, Any]
UNREADABLE = (ValueError, LookupError, TypeError, ArithmeticError, ElementTree.ParseError)


def of_order(order: Order) -> Facts:
    lines = [(line.sku, line.quantity, line.unit_price) for line in order.lines]
    whole = {name: getattr(order, name) for name in ("number", "placed_at", "currency", "total", "tax", "shipping")}
    return {**whole, "lines": lines}


def of_template(body: bytes) -> Facts:
    order = json.loads(body, parse_float=Decimal)
    return {
        "number": order["reference"].partition("/")[2],
        "placed_at": time(order["orderedAt"]),
        "currency": order["currency"],
        "total": order["gross"],
        "tax": order["tax"],
        "shipping": order["freight"],
        "lines": [(line["sku"], line["quantity"], line["price"]) for line in order["lines"]],
    }


def of_json(body: bytes) -> Facts:
    order = json.loads(body, parse_float=Decimal)
    return {
        "number": order["number"],
        "placed_at": time(order["placed_at"]),
        "currency": order["currency"],
        **{name: Decimal(order[name]) for name in ("total", "tax", "shipping")},
        "lines": [(line["sku"], line["quantity"], Decimal(line["unit_price"])) for line in order["items"]],
    }


def of_csv(body: bytes) -> Facts:
    rows = list(csv.DictReader(io.StringIO(body.decode()), delimiter=";"))
    return {
        "number": rows[0]["order"],
        "currency": rows[0]["currency"],
        "total": Decimal(rows[0]["order_total"]),
        "lines": [(row["sku"], Decimal(row["quantity"]), Decimal(row["unit_price"])) for row in rows],
    }


def of_xml(body: bytes) -> Facts:
    order = ElementTree.fromstring(body)

    def text(name: str, node: ElementTree.Element = order) -> str:
        return node.findtext(name, "")

    def line(item: ElementTree.Element) -> tuple[str, Decimal, Decimal]:
        return text("sku", item), Decimal(text("quantity", item)), Decimal(text("unit_price", item))

    return {
        "number": text("number"),
        "placed_at": time(text("placed_at")),
        "currency": text("currency"),
        **{name: Decimal(text(name)) for name in ("total", "tax", "shipping")},
        "lines": [line(item) for item in order.iterfind("items/item")],
    }


def time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


# By the pipelines of config/ordersync.toml; the documents of mirror are compared byte for byte.
READERS: dict[str, Callable[[bytes], Facts]] = {
    "erp": of_template,
    "archive": of_json,
    "warehouse": of_csv,
    "partner": of_xml,
}
