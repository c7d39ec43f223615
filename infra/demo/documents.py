"""The exported documents as files, and one of each format for people to see."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import show
from plan import Plan
from receivers import Receiver
from stack_view import Stored

# What is shown: the format, and pipeline, shop and number of an order.
SHOWN = (
    ("template", "erp", "demo-shopify", 2),
    ("json", "archive", "demo-woocommerce", 1),
    ("xml", "partner", "demo-magento", 1),
    ("csv", "warehouse", "demo-shopify", 1),
    ("raw", "mirror", "demo-generic", 1),
)


def save(folder: Path, plan: Plan, objects: Mapping[str, Stored], receivers: Mapping[str, Receiver]) -> dict[str, Path]:
    """Writes all that was exported: a folder a pipeline. Gives each export's file by its idempotency key."""
    files = {stored.export: (folder / key, stored.body) for key, stored in objects.items()}
    for export in plan.exports:
        if export.pipeline in receivers and (delivery := receivers[export.pipeline].accepted.get(export.key)):
            name = f"{quote(export.order.number, safe='')}.json"
            files[export.key] = (folder / export.pipeline / export.webhook.shop / name, delivery.body)
    shutil.rmtree(folder, ignore_errors=True)
    for path, body in files.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return {key: path for key, (path, _) in files.items()}


def show_one_of_each(plan: Plan, files: Mapping[str, Path], root: Path) -> None:
    for name, pipeline, shop, number in SHOWN:
        of_shop = [export for export in plan.exports if (export.pipeline, export.webhook.shop) == (pipeline, shop)]
        if path := files.get(of_shop[number - 1].key):
            show.document(name, str(path.relative_to(root)), path.read_text(encoding="utf-8"))
