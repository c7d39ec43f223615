"""A shop of the merchant's own and the back office behind it, for what happens to orders later: one server for both."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class BackOffice:
    """Takes documents at /books, and answers for the shop at /shop/orders/{id} and /shop/orders/{id}/cancel."""

    def __init__(self, token: str) -> None:
        self.is_broken = False
        # The shop's orders: identifier to state.
        self.orders: dict[str, str] = {}
        self._taken: Counter[str] = Counter()
        self._token = token
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, name="back office", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def times(self, number: str) -> int:
        """How often the order was taken."""
        return self._taken[number]

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, Any]:
        if path == "/books":
            return self._book(body)
        match path.strip("/").split("/"):
            case ["shop", "orders", order, *rest] if order in self.orders:
                if authorization != f"Bearer {self._token}":
                    return 401, {"message": "who are you?"}
                if (method, rest) == ("POST", ["cancel"]):
                    self.orders[order] = "canceled"
                return 200, self._order(order)
        return 404, {"message": "there is no such thing"}

    def _book(self, body: bytes) -> tuple[int, Any]:
        if self.is_broken:
            return 503, {"message": "closed for repair"}
        with self._lock:
            self._taken[json.loads(body)["number"]] += 1
        return 200, {"taken": True}

    def _order(self, order: str) -> dict[str, Any]:
        return {"id": order, "state": self.orders[order], "payment": {"state": "open", "method": "banktransfer"}}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._serve("POST")

            def do_GET(self) -> None:
                self._serve("GET")

            def _serve(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, said = office.answer(method, self.path, self.headers.get("Authorization", ""), body)
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """The demo shows what the ledger says."""

        return Handler
