"""What the demo prints: progress while it runs, then the table and the documents."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence

from plan import PIPELINES, Export
from stack_view import Row, Rows

STATUSES = ("exported", "skipped", "error")
COLOURS = {"exported": "32", "acknowledged": "32", "canceled": "33", "pending": "36", "skipped": "33", "error": "31", "title": "1", "dim": "2"}
NARROWEST = 100
LONGEST_REASON = 120


def is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def coloured(text: str, kind: str) -> str:
    if kind not in COLOURS or not is_terminal() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{COLOURS[kind]}m{text}\033[0m"


def title(text: str) -> None:
    print(f"\n{coloured(text, 'title')}", flush=True)


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


class Progress:
    """One line that tells how far it is. On a terminal it is rewritten, elsewhere each change is a line."""

    def __init__(self, exports: Sequence[Export]) -> None:
        self._exports = exports
        self._planned = Counter(export.pipeline for export in exports)
        self._shown = ""
        self._failures: Counter[tuple[str, str, str]] = Counter()
        self._over: set[tuple[str, str, str]] = set()

    def update(self, seconds: float, posted: str, rows: Rows) -> None:
        for key, row in rows.items():
            self._tell(key, row)
        is_over = {key: row.is_over for key, row in rows.items()}
        over = Counter(export.pipeline for export in self._exports if is_over.get(export.row))
        counts = "  ".join(f"{pipeline} {over[pipeline]}/{self._planned[pipeline]}" for pipeline in PIPELINES)
        waiting = sum(row.status == "pending" for row in rows.values())
        line = f"{posted}  {counts}" + (f"  {waiting} to try again" if waiting else "")
        if is_terminal():
            self._clear()
            self._shown = f"{seconds:5.1f} s  {line}"
            self._write()
        elif line != self._shown:
            self._shown = line
            print(f"{seconds:5.1f} s  {line}", flush=True)

    def end(self) -> None:
        if is_terminal() and self._shown:
            print()

    def _tell(self, key: tuple[str, str, str], row: Row) -> None:
        name = f"{row.number} of {row.shop} to {row.pipeline}"
        for number, failure in enumerate(row.failures[self._failures[key] :], self._failures[key] + 1):
            is_last = row.status == "error" and number == len(row.failures)
            what = f"attempt {number} {coloured('failed', 'error')}, {'given up' if is_last else 'tried again'}"
            self._line(f"{name}: {what}: {shortened(failure, LONGEST_REASON)}")
        self._failures[key] = len(row.failures)
        if not row.is_over or key in self._over:
            return
        self._over.add(key)
        if row.status == "skipped":
            self._line(f"{name}: {coloured('skipped', 'skipped')}: {shortened(row.last_error, LONGEST_REASON)}")
        elif row.status == "exported" and row.failures:
            self._line(f"{name}: {coloured('exported', 'exported')} with attempt {row.attempts}")

    def _line(self, text: str) -> None:
        """Something that is worth a line of its own."""
        self._clear()
        print(f"  {text}", flush=True)
        if is_terminal():
            self._write()

    def _clear(self) -> None:
        if is_terminal() and self._shown:
            print("\r\033[K", end="")

    def _write(self) -> None:
        print(shortened(self._shown, shutil.get_terminal_size().columns - 1), end="", flush=True)


HEADER = ("order", "shop", "pipeline", "status", "attempts", "external id", "destination, or why not")


def table(rows: Iterable[Row], bucket: str) -> None:
    """The rows of the ledger, those of an order together; `bucket` is left out of the destinations."""
    width = max(shutil.get_terminal_size((140, 24)).columns, NARROWEST)
    lines = [(cells(row, bucket), row.status) for row in rows]
    widths = [max(map(len, column)) for column in zip(HEADER, *(line for line, _ in lines))]
    widths[-1] = max(width - sum(widths[:-1]) - 2 * len(widths), 20)
    print(coloured(formatted(HEADER, widths), "dim"))
    before: tuple[str, ...] = ("", "")
    for line, status in lines:
        again = line[:2] == before[:2]
        text = formatted(("", "", *line[2:]) if again else line, widths)
        start = sum(widths[:3]) + 2 * 3
        end = start + len(status)
        print(text[:start] + coloured(text[start:end], status) + text[end:])
        before = line


def cells(row: Row, bucket: str) -> tuple[str, ...]:
    where = row.destination.replace(f"s3://{bucket}/", "s3://…/") if row.status == "exported" else row.last_error
    return (row.number, row.shop, row.pipeline, row.status, str(row.attempts), row.external_id or "-", where)


def formatted(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(shortened(cell, width).ljust(width) for cell, width in zip(line, widths)).rstrip()


def document(name: str, where: str, text: str, most_lines: int = 16) -> None:
    """The beginning of a document. One that is a single line is shown over several."""
    width = max(shutil.get_terminal_size((140, 24)).columns, NARROWEST) - 4
    text = text.strip()
    lines = text.splitlines()
    if len(lines) == 1:
        lines = [text[start : start + width] for start in range(0, len(text), width)]
    print(f"\n  {coloured(name, 'title')}  {coloured(where, 'dim')}")
    for line in lines[:most_lines]:
        print(f"    {shortened(line, width)}")
    if len(lines) > most_lines:
        print(coloured(f"    … {len(lines) - most_lines} more lines", "dim"))
