"""The page about what was tried, and the line that the fault tests end with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from calls import Call
from checks import Outcome
from episode import Findings
from faults import Cell, Fault, Plan
from ledger import number, text
from phases import Trial

FUNCTIONS = ("intake", "processor", "reset-errors", "responses", "cancel-stale", "cleanup")
PROSE = Path(__file__).with_name("reliability.md")
HAPPENED = {
    Fault.THROTTLED: "the client asked again",
    Fault.THROTTLED_ALL: "the call failed",
    Fault.FAILED_ALL: "the call failed",
    Fault.TIMEOUT: "the client asked again after 3 s",
    Fault.TIMEOUT_AFTER: "the client repeated what had taken effect, after 3 s",
    Fault.DROPPED: "the client asked again",
    Fault.DROPPED_AFTER: "the client repeated what had taken effect",
    Fault.DROPPED_AFTER_ALL: "the call failed, and had taken effect up to three times",
    Fault.KILLED: "the process ended, with all that it was at",
    Fault.KILLED_AFTER: "the process ended, with all that it was at",
}


@dataclass(frozen=True)
class Result:
    """All that is told of a run."""

    trial: Trial
    found: Findings
    seconds: float

    @property
    def plan(self) -> Plan:
        return self.trial.plan

    @property
    def outcome(self) -> Outcome:
        return self.found.outcome

    def problems(self) -> list[str]:
        return [*self.outcome.findings(), *self.trial.problems, *self.found.after]

    def faults(self) -> int:
        return sum(cell.times for cell in self.plan.cells.values())

    def last_line(self) -> str:
        lost, duplicated = len(self.outcome.lost), len(self.outcome.duplicated)
        return f"orders {len(self.trial.shops.accepted)}, faults {self.faults()}, lost {lost}, duplicated {duplicated}"


def rows(result: Result, function: str) -> Iterator[tuple[Call, Fault, Cell]]:
    cells = [(call, fault, cell) for (of, call, fault), cell in result.plan.cells.items() if of == function and cell.times]
    faults = list(Fault)
    yield from sorted(cells, key=lambda row: (row[0], faults.index(row[1])))


def recovered(result: Result, function: str, fault: Fault, orders: set[str]) -> str:
    """By what the orders went on that a fault had met."""
    if function == "intake":
        ways = Counter("at once" if result.trial.shops.posts[order] == 1 else "posted again by the shop" for order in orders)
    elif function == "processor":
        ways = Counter(way(result, order) for order in orders)
    else:
        return "the same or a later run" if not fault.is_kill else "a later run"
    return ", ".join(f"{count} {name}" for name, count in sorted(ways.items())) or "by the next call"


def way(result: Result, order: str) -> str:
    """How an order came to its end, by what its rows say."""
    items = [item for (of, _), item in result.found.rows.items() if of == order]
    if any(text(item, "requeued_at") for item in items):
        return "from the ledger or the dead letters"
    again = any(number(item, "attempts") > 1 or len(item.get("history", {}).get("L", [])) > 0 for item in items)
    return "by another attempt" if again else "without another attempt"


def summary(result: Result) -> Iterator[str]:
    yield "| Function | Calls | Faults | of these kills | Orders that met one |"
    yield "|---|---:|---:|---:|---:|"
    for function in FUNCTIONS:
        found = list(rows(result, function))
        faults, kills = (sum(c.times for _, f, c in found if f.is_kill or not only) for only in (False, True))
        orders = set().union(*(cell.orders for _, _, cell in found))
        yield f"| {function} | {len({call for call, _, _ in found})} | {faults} | {kills} | {len(orders)} |"


def table(result: Result) -> Iterator[str]:
    for function in FUNCTIONS:
        yield f"\n### {function}\n"
        yield "| Call | Fault | Times | Orders | What happened | How its orders went on |"
        yield "|---|---|---:|---:|---|---|"
        for call, fault, cell in rows(result, function):
            how = recovered(result, function, fault, cell.orders)
            yield f"| {call} | {fault.value} | {cell.times} | {len(cell.orders)} | {HAPPENED[fault]} | {how} |"


def tell(result: Result, page: Path | None, is_complete: bool) -> bool:
    """Prints the findings and the last line; writes the page. Whether all is well: a complete run is one in which each
    call met each kind of fault."""
    problems, untried, all_kinds = result.problems(), result.plan.untried(), len(result.plan.calls) * len(Fault)
    for problem in [*problems, *(f"never made: {fault}" for fault in untried if is_complete)]:
        print(problem)
    runs = ", ".join(f"{name.lower().replace('_', '-')} {count}" for name, count in result.trial.runs.items())
    print(f"{len(result.plan.calls)} calls; {all_kinds - len(untried)} of {all_kinds} combinations with a kind of fault made")
    print(f"{result.outcome.repeats} repeated deliveries under the same key; runs: {runs}; {result.seconds:.0f} s")
    print(result.last_line())
    if page:
        facts = {
            "summary": "\n".join(summary(result)),
            "table": "\n".join(table(result)).strip(),
            "last": result.last_line(),
            "repeats": result.outcome.repeats,
            "calls": len({(function, call) for (function, call, _), cell in result.plan.cells.items() if cell.times}),
            "made": all_kinds - len(untried),
            "all": all_kinds,
        }
        page.write_text(Template(PROSE.read_text(encoding="utf-8")).substitute(facts), encoding="utf-8")
    return not problems and not (is_complete and untried)
