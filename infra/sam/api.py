"""The events that are HTTP requests, sent to `sam local start-api`."""

from __future__ import annotations

import base64
import http.client
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from emulator import free_port, port_is_free
from project import STATE, Project, SamError

START_SECONDS = 60
STOP_SECONDS = 30
# An invocation that starts a container.
ANSWER_SECONDS = 60
# What the client writes itself, and what the endpoint adds on AWS.
NOT_SENT = ("content-length", "host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto")


@dataclass(frozen=True)
class Api:
    port: int

    def send(self, event: Mapping[str, Any], method: str | None = None, forged: bool = False) -> dict[str, Any]:
        """Sends the request that the event tells of. Gives status, body and cookies as a function would."""
        method = method or event["requestContext"]["http"]["method"]
        text = event.get("body", "")
        body = base64.b64decode(text) if event["isBase64Encoded"] else text.encode()
        headers = {name: value for name, value in event["headers"].items() if name not in NOT_SENT}
        query = f"?{event['rawQueryString']}" if event["rawQueryString"] else ""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, event["rawPath"] + query, body + b" " if forged else body, headers)
            answer = connection.getresponse()
            cookies = answer.headers.get_all("set-cookie", [])
            return {"statusCode": answer.status, "body": answer.read().decode(), "cookies": cookies}
        finally:
            connection.close()


@contextmanager
def running_api(project: Project) -> Iterator[Api]:
    port = free_port()
    log = STATE / "api.log"
    process = project.start_api(port, log)
    try:
        ends = time.monotonic() + START_SECONDS
        while port_is_free(port):
            if process.poll() is not None or time.monotonic() > ends:
                raise SamError(f"sam local start-api does not start:\n{log.read_text(errors='replace').strip()}")
            time.sleep(0.1)
        yield Api(port)
    finally:
        # As Ctrl-C does: sam then removes its containers.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
