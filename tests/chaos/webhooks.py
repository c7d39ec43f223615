"""Posts webhooks as a shop does: again after a while, until one was answered with 2xx."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from orders import Order

POSTS_AT_ONCE = 12
POST_SECONDS = 30
AGAIN_AFTER_SECONDS = 1.0
TRIES = 40
# Every so many orders are sent once more although they were accepted.
REPEATED_OF = 50


def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Gives the status of the answer, 0 for none."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(urllib.request.Request(url, body, dict(headers)), timeout=POST_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def post_until_taken(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """How often it had to be posted; 0 where it was never taken."""
    for times in range(1, TRIES + 1):
        if 200 <= post(url, headers, body) < 300:
            return times
        time.sleep(AGAIN_AFTER_SECONDS)
    return 0


class Shops:
    """All shops. Which orders were accepted, and how often each had to be posted."""

    def __init__(self, api: str) -> None:
        self.api = api
        self.accepted: dict[str, Order] = {}
        self.refused: list[str] = []
        self.posts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def send(self, orders: Iterable[Order]) -> None:
        with ThreadPoolExecutor(POSTS_AT_ONCE) as pool:
            list(pool.map(self._send, orders))

    def _send(self, order: Order) -> None:
        url = self.api + order.path
        times = post_until_taken(url, order.headers, order.body)
        if times and int(order.id[-6:]) % REPEATED_OF == 0:
            post(url, order.headers, order.body)
        with self._lock:
            self.posts[order.id] = times
            if times:
                self.accepted[order.id] = order
            else:
                self.refused.append(order.id)
