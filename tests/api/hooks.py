"""What is sent differently: so that it arrives, and reaches something."""

from __future__ import annotations

import os
import re

import schemathesis

# The emulator's routes end at a line break in a path and it answers by itself; API Gateway's do not. Some of the values are
# percent-encoded when they come here.
LINE_BREAK = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]|%(?:0[A-D]|1[C-E]|C2%85|E2%80%A[89])", re.IGNORECASE)

# What is there: requests that are right in all else are of these.
THERE = {
    "shop": os.environ.get("API_SHOP"),
    "order": os.environ.get("API_ORDER"),
    "pipeline": os.environ.get("API_PIPELINE"),
    "name": os.environ.get("API_TEMPLATE"),
}


@schemathesis.hook
def map_case(_context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    is_right = case.meta is not None and case.meta.generation.mode.is_positive
    for name, value in (case.path_parameters or {}).items():
        if is_right and THERE.get(name):
            case.path_parameters[name] = THERE[name]
        elif isinstance(value, str):
            case.path_parameters[name] = LINE_BREAK.sub("_", value)
    return case
