"""A line for each item, in the merchant's columns."""

import csv
import io
import json
import re
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace

MEDIA_TYPE = "text/csv; charset=utf-8"
EXTENSION = "csv"

columns = json.loads((Path(__file__).parent / "columns.json").read_text())
header = [column["header"] for column in columns]
values = [attrgetter(column["value"]) for column in columns]
formula = re.compile(r"(?![+-]?\d+([.,]\d+)?$)[=+\-@\t\r]")


def render(order, pipeline):
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    for item in order.items:
        root = SimpleNamespace(order=order, item=item)
        writer.writerow([guarded(value(root)) for value in values])
    return out.getvalue().encode()


def guarded(value):
    """A spreadsheet takes such a text for a formula, unless it is a plain number."""
    text = "" if value is None else str(value)
    return f"'{text}" if formula.match(text) else text
