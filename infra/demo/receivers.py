"""The destinations of the demo: an ERP and a mirror on 127.0.0.1, which fail where the plan wants them to."""

from __future__ import annotations

import hmac
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shops import standard_signature

# Longer than the timeout of the pipelines.
TOO_LONG_SECONDS = 4.0
RETRY_AFTER_SECONDS = 2


class Fault(Enum):
    """What goes wrong with one delivery, instead of it being accepted."""

    SERVER_ERROR = "answers 500"
    TOO_MANY = "answers 429, Retry-After"
    TOO_SLOW = "does not answer in time"
    ANSWER_LOST = "accepts it, but the answer is lost"
    REFUSED = "refuses it with 400"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Delivery:
    """A document that was accepted."""

    headers: Mapping[str, str]
    body: bytes
    # What the receiver calls the order, if it tells.
    id: str


class Receiver:
    """An HTTP server that accepts each idempotency key once and answers a repetition as the first time."""

    def __init__(self, name: str, path: str, faults: Mapping[str, list[Fault]]) -> None:
        self.name = name
        self.path = path
        self.accepted: dict[str, Delivery] = {}
        # How often each key was delivered, whatever was answered.
        self.received: Counter[str] = Counter()
        self.rejected: list[str] = []
        self._faults = {key: list(faults_of_key) for key, faults_of_key in faults.items()}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name=name, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def problem(self, headers: Mapping[str, str], _body: bytes) -> str | None:
        """Why a delivery is not one for this receiver."""
        return None if headers.get("Idempotency-Key") else "no Idempotency-Key"

    def new_id(self) -> str:
        return ""

    def success(self, _delivery: Delivery) -> Answer:
        return Answer(204)

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """What a delivery is answered with; None for no answer at all."""
        problem = self.problem(headers, body) if path == self.path else f"posted to {path}, not to {self.path}"
        if problem:
            self.rejected.append(problem)
            return Answer(403, problem.encode())
        key = headers["Idempotency-Key"]
        with self._lock:
            self.received[key] += 1
            waiting = self._faults.get(key)
            fault = waiting.pop(0) if waiting else None
            if fault in (None, Fault.ANSWER_LOST) and key not in self.accepted:
                self.accepted[key] = Delivery(headers, body, self.new_id())
        return self._failed(fault) if fault else self.success(self.accepted[key])

    def _failed(self, fault: Fault) -> Answer | None:
        if fault is Fault.SERVER_ERROR:
            return Answer(500, b"out of order")
        if fault is Fault.TOO_MANY:
            return Answer(429, b"one at a time", {"Retry-After": str(RETRY_AFTER_SECONDS)})
        if fault is Fault.REFUSED:
            return Answer(400, b'{"status":"refused","message":"cost centre 4711 is closed"}')
        if fault is Fault.TOO_SLOW:
            time.sleep(TOO_LONG_SECONDS)
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = receiver.take(self.path, self.headers, body)
                if answer is not None:
                    # Who asked may have gone, as one that does not wait so long.
                    with suppress(ConnectionError):
                        self._give(answer)

            def _give(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """The demo shows what the ledger says."""

        return Handler


class Erp(Receiver):
    """Takes JSON with a bearer token and a Standard Webhooks signature, and answers with its own identifier."""

    def __init__(self, token: str, signing_secret: str, faults: Mapping[str, list[Fault]]) -> None:
        self._token = token
        self._signing_secret = signing_secret
        self._numbers = itertools.count(70001)
        super().__init__("erp", "/orders", faults)

    def problem(self, headers: Mapping[str, str], body: bytes) -> str | None:
        if headers.get("Authorization") != f"Bearer {self._token}":
            return "no bearer token, or a wrong one"
        name, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        expected = standard_signature(self._signing_secret, name, seconds, body)
        if not hmac.compare_digest(headers.get("webhook-signature", ""), expected):
            return "no signature, or a wrong one"
        return super().problem(headers, body)

    def new_id(self) -> str:
        return f"SO-{next(self._numbers)}"

    def success(self, delivery: Delivery) -> Answer:
        return Answer(200, json.dumps({"id": delivery.id, "status": "accepted"}).encode())


class Mirror(Receiver):
    """Takes the shops' webhooks as they are."""

    def __init__(self, faults: Mapping[str, list[Fault]]) -> None:
        super().__init__("mirror", "/webhooks", faults)
