"""What containers reach on this machine: the emulator, which listens on 127.0.0.1 only, and hosts that a shop would have."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CHUNK = 65536


class GatewayError(Exception):
    """The address that containers reach cannot be listened on."""


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[str]:
    """Serves in threads of its own. Gives the address."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.server_address[:2]
    try:
        yield f"{host}:{port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def forwarded(host: str, port: int) -> Iterator[str]:
    """Hands on what comes to the host, at a port of its own, to the port of 127.0.0.1."""

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as upstream:
                back = threading.Thread(target=copy, args=(upstream, self.request), daemon=True)
                back.start()
                copy(self.request, upstream)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    try:
        server = Server((host, 0), Forward)
    except OSError as error:
        raise GatewayError(
            f"containers reach this machine at {host}, where nothing can listen ({error}); a rootless engine, or one in a "
            "virtual machine, has no such address here"
        ) from None
    with serving(server) as address:
        yield address


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One side has gone; the other one notices by the end of its connection.
        pass


class Hosts:
    """Adobe's public keys, and a shop that is asked for the state of its orders and cancels them."""

    def __init__(self, key: Path, token: str) -> None:
        self.orders: dict[str, str] = {}
        self._key = key.read_bytes()
        self._token = token

    def answer(self, method: str, path: str, authorization: str) -> tuple[int, bytes]:
        match path.strip("/").split("/"):
            case ["prod", "keys", "pub-key-of-the-tests.pem"]:
                return 200, self._key
            case ["shop", "orders", order, *rest] if order in self.orders:
                if authorization != f"Bearer {self._token}":
                    return 401, b"{}"
                if (method, rest) == ("POST", ["cancel"]):
                    self.orders[order] = "canceled"
                return 200, self._order(order)
        return 404, b"{}"

    def _order(self, order: str) -> bytes:
        state: dict[str, Any] = {"state": "open", "method": "banktransfer"}
        return json.dumps({"id": order, "state": self.orders[order], "payment": state}).encode()

    @contextmanager
    def listening(self, host: str) -> Iterator[str]:
        hosts = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._serve("GET")

            def do_POST(self) -> None:
                self._serve("POST")

            def _serve(self, method: str) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, body = hosts.answer(method, self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The table says what came of it."""

        with serving(ThreadingHTTPServer((host, 0), Handler)) as address:
            yield address
