"""The order as it is."""

import json
from dataclasses import asdict

MEDIA_TYPE = "application/json"
EXTENSION = "json"


def render(order, pipeline):
    return json.dumps(asdict(order), ensure_ascii=False, separators=(",", ":")).encode()
