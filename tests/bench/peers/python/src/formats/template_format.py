"""The merchant's template, compiled when the function starts."""

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

MEDIA_TYPE = "application/json"
EXTENSION = "json"

environment = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, auto_reload=False)
# Jinja's own filter of this name writes for HTML.
environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
template = environment.get_template("erp-order.json.j2")


def render(order, pipeline):
    return template.render(order=order, pipeline=pipeline).encode()
