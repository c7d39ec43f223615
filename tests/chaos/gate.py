"""What stands between the functions and the emulator: it knows which function calls and what for, and makes the faults.

What AWS itself would say or not say (throttling, errors, silence, a reset) is microburst's, to which a call is sent with
the fault's name in a header. What happens after a call took effect, and kills, are made here, as microburst has nothing
of the kind. All other calls go straight to the emulator.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import Coroutine
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import web
from yarl import URL

from calls import Request
from faults import Fault, Plan
from processes import Process, Processes
from waits import sooner

# The header by which microburst knows what to do.
MARK = "x-chaos-fault"
# Longer than a client waits for an answer: 3 s.
SILENCE_SECONDS = 3.6
# An emulator that takes this long may be a timeout without our doing.
SLOW_SECONDS = 2.5
# A fault may make an order be delivered again if it was met this recently by the same process.
IN_FLIGHT_SECONDS = 12.0
LARGEST_BODY = 64 * 1024 * 1024
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"}
NOT_FORWARDED = {"connection", "transfer-encoding", "content-length"}
AFTER = {Fault.TIMEOUT_AFTER, Fault.DROPPED_AFTER, Fault.DROPPED_AFTER_ALL, Fault.KILLED_AFTER}


class Gate:
    """The proxy, on a loop and thread of its own."""

    def __init__(self, plan: Plan, processes: Processes, port: int) -> None:
        self.plan = plan
        self.processes = processes
        self.port = port
        self.emulator = ""
        self.microburst = ""
        # Orders that some fault has met, or whose process was killed.
        self.met: set[str] = set()
        self._seen: defaultdict[Process, deque[tuple[float, str]]] = defaultdict(lambda: deque(maxlen=64))
        self._processes: WeakKeyDictionary[asyncio.BaseTransport, Process | None] = WeakKeyDictionary()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="gate", daemon=True).start()
        self._run(self._start())

    def stop(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        asked = Request(incoming.method, incoming.raw_path, headers, await incoming.read())
        call, process = asked.call(), self._process(incoming)
        if process is None:
            # Its process has ended meanwhile.
            return self._drop(incoming)
        orders = asked.orders() or set(self._in_flight(process)[-1:])
        self._note(process, orders)
        fault = self.plan.decide(process.function, call, orders, asked.invocation())
        if fault is not None:
            self.met |= orders
        if fault is Fault.KILLED:
            return self._kill(incoming, process)
        asked = sooner(asked)
        mark = fault.name if fault and fault not in AFTER else None
        began = time.monotonic()
        try:
            answer = await self._forward(asked, mark)
        except (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError):
            # By microburst, or the emulator itself was too slow.
            self.met |= orders
            return self._drop(incoming)
        if time.monotonic() - began > SLOW_SECONDS:
            self.met |= orders
        return await self._give(incoming, process, answer, fault)

    async def _give(self, incoming: web.Request, process: Process, answer: web.Response, fault: Fault | None) -> web.Response:
        """The answer, or what becomes of it."""
        if fault is Fault.KILLED_AFTER:
            return self._kill(incoming, process)
        if fault is Fault.TIMEOUT_AFTER:
            await asyncio.sleep(SILENCE_SECONDS)
        return self._drop(incoming) if fault in AFTER else answer

    async def _forward(self, asked: Request, mark: str | None) -> web.Response:
        headers = {name: value for name, value in asked.headers.items() if name not in NOT_FORWARDED}
        base = self.emulator
        if mark:
            base, headers[MARK] = self.microburst, mark
        url = URL(base + asked.target, encoded=True)
        async with self._session.request(
            asked.method, url, headers=headers, data=asked.body, allow_redirects=False, skip_auto_headers=("User-Agent",)
        ) as answer:
            body = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            if asked.method == "HEAD" and "Content-Length" in answer.headers:
                kept["Content-Length"] = answer.headers["Content-Length"]
            return web.Response(status=answer.status, headers=kept, body=body)

    def _process(self, incoming: web.Request) -> Process | None:
        transport = incoming.transport
        if transport is None:
            return None
        if transport not in self._processes:
            self._processes[transport] = self.processes.behind(transport.get_extra_info("peername")[1], self.port)
        return self._processes[transport]

    def _kill(self, incoming: web.Request, process: Process) -> web.Response:
        self.met |= set(self._in_flight(process))
        self.processes.kill(process)
        return self._drop(incoming)

    @staticmethod
    def _drop(incoming: web.Request) -> web.Response:
        """No answer: the connection is reset."""
        if incoming.transport is not None:
            incoming.transport.abort()
        return web.Response(status=500)

    def _note(self, process: Process, orders: set[str]) -> None:
        now = time.monotonic()
        self._seen[process].extend((now, order) for order in orders)

    def _in_flight(self, process: Process) -> list[str]:
        since = time.monotonic() - IN_FLIGHT_SECONDS
        return [order for at, order in self._seen[process] if at >= since]
