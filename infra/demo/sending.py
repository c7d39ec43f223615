"""Sends the webhooks as their shops would, and shows how far their orders are until nothing is left to do."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone

from plan import Plan
from shops import Webhook
from show import Progress
from stack_view import Rows, StackView

POSTS_AT_ONCE = 4
POST_SECONDS = 30
POLL_SECONDS = 0.5
GIVE_UP_SECONDS = 75


@dataclass
class Outcome:
    rows: Rows
    # What went wrong with the webhooks themselves.
    problems: list[str]
    seconds: float
    # From a webhook to the end of one of its exports.
    slowest: float


class Sender:
    """Posts the orders side by side, then one of them once more, then a forged one."""

    def __init__(self, plan: Plan, api: str) -> None:
        self.plan = plan
        self.sent_at: dict[tuple[str, str], datetime] = {}
        self._api = api
        self._pool = ThreadPoolExecutor(POSTS_AT_ONCE)
        self._answers = [self._pool.submit(self._post, webhook) for webhook in plan.webhooks]
        self._extras: list[Future[int]] = []

    def accepted(self) -> int:
        return sum(answer.done() and answer.result() == 202 for answer in self._answers)

    def is_done(self) -> bool:
        """Whether all is sent. What is sent at the end goes out when everything else has."""
        if not all(answer.done() for answer in self._answers):
            return False
        if not self._extras:
            self._extras = [self._pool.submit(self._post, extra) for extra in (self.plan.repeated, self.plan.forged)]
        return all(answer.done() for answer in self._extras)

    def problems(self) -> Iterator[str]:
        """What was not answered as it should be, or not at all in the time that the demo takes."""
        expected = [(webhook, 202) for webhook in (*self.plan.webhooks, self.plan.repeated)] + [(self.plan.forged, 401)]
        for (webhook, status), answer in zip(expected, [*self._answers, *self._extras]):
            answered = answer.result() if answer.done() else "nothing"
            if answered != status:
                yield f"{webhook.shop} {webhook.order.number}: the webhook was answered {answered}, not {status}"

    def stop(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _post(self, webhook: Webhook) -> int:
        """Gives the status of the answer, 0 for none."""
        self.sent_at.setdefault((webhook.shop, webhook.order.id), datetime.now(timezone.utc))
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(self._api + webhook.path, webhook.body, webhook.headers)
        try:
            with direct.open(request, timeout=POST_SECONDS) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


def send_and_watch(plan: Plan, view: StackView) -> Outcome:
    progress, began = Progress(plan.exports), time.monotonic()
    problems: list[str] = []
    sender = Sender(plan, view.api)
    try:
        while True:
            is_sent, rows, seconds = sender.is_done(), view.rows(), time.monotonic() - began
            progress.update(seconds, f"accepted {sender.accepted()}/{len(plan.webhooks)}", rows)
            are_over = all((row := rows.get(export.row)) and row.is_over for export in plan.exports)
            if is_sent and are_over and view.queued() == 0:
                break
            if seconds > GIVE_UP_SECONDS:
                problems.append(f"after {GIVE_UP_SECONDS} s not everything was over")
                break
            time.sleep(POLL_SECONDS)
    finally:
        progress.end()
        sender.stop()
    problems += sender.problems()
    return Outcome(view.rows(), problems, time.monotonic() - began, slowest(rows, sender))


def slowest(rows: Rows, sender: Sender) -> float:
    took = [
        (row.exported_at - sent_at).total_seconds()
        for row in rows.values()
        if row.exported_at and (sent_at := sender.sent_at.get((row.shop, row.order_id)))
    ]
    return max(took, default=0.0)
