"""Shared code of the benchmarks: data, timing and reports."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

__all__ = [
    "BASES",
    "MOBILENET",
    "Goal",
    "Report",
    "duration",
    "interleaved",
    "main",
    "micros",
    "millis",
    "ratio",
    "seconds_per_call",
    "shared",
]

_Key = TypeVar("_Key")

MOBILENET = "tf2_mobilenet_v2_1.0_224_ptq.tflite"
"""The base that the goals refer to: a 4 MB int8 MobileNetV2."""

BASES = {
    "MobileNetV2 1.0, int8": MOBILENET,
    "MobileNetV1 0.25, uint8": "mobilenet_v1_0.25_128_quant.tflite",
}
"""Name → file of the bases. The goals refer to the first."""


@dataclass(frozen=True)
class Goal:
    """A goal and its measurement.

    Attributes:
        text: the goal.
        value: the measurement, formatted.
        met: whether the value meets the goal.
    """

    text: str
    value: str
    met: bool


@dataclass(frozen=True)
class Report:
    """One table with its goals and notes.

    Attributes:
        title: heading of the table.
        columns, rows: content of the table.
        goals: goals that the table checks.
        notes: method, and candidates that are missing.
        data: raw numbers, for `--json`.
        load: load average of the last minute when the table was complete.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()
    data: Any = None
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def has_run(self) -> bool:
        """Whether there are measurements; otherwise the notes say what is missing."""
        return bool(self.rows)

    @property
    def met(self) -> bool:
        """Whether all goals are met."""
        return all(goal.met for goal in self.goals)

    def print(self) -> None:
        """Print the report to the terminal."""
        from rich.console import Console
        from rich.table import Table

        table = Table(title=self.title, title_justify="left")
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="right" if index else "left")
        for row in self.rows:
            table.add_row(*row)
        console = Console()
        console.print(table)
        for goal in self.goals:
            word = "[green]met[/]  " if goal.met else "[red]MISSED[/]"
            console.print(f"{word} {goal.text}: {goal.value}", highlight=False)
        for note in (*self.notes, self._load_note()):
            console.print(f"- {note}", style="dim", highlight=False)
        if not self.has_run:
            console.print("[red]NOT RUN[/]")

    def markdown(self) -> str:
        """Return the report as Markdown, for `docs/benchmarks.md`."""
        head = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)]]
        table = "\n".join(f"| {' | '.join(row)} |" for row in (*head, *self.rows))
        goals = "\n".join(
            f"- {'Met' if goal.met else '**Missed**'}: {goal.text}: {goal.value}."
            for goal in self.goals
        )
        notes = "\n".join(f"- {note}" for note in (*self.notes, self._load_note()))
        return "\n\n".join(filter(None, [f"## {self.title}", table, goals, notes])) + "\n"

    def json(self) -> str:
        """Return the raw numbers as JSON."""
        return json.dumps({**asdict(self), "met": self.met}, indent=2, ensure_ascii=False)

    def _load_note(self) -> str:
        return f"Load average of the last minute: {self.load:.1f}."


def main(run: Callable[[], Report]) -> None:
    """Run one benchmark as a program. The exit status is 1 if a goal is missed or it cannot run."""
    parser = argparse.ArgumentParser(description=sys.modules[run.__module__].__doc__)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    as_json = parser.parse_args().json
    report = run()
    if as_json:
        print(report.json())
    else:
        report.print()
    sys.exit(0 if report.met and report.has_run else 1)


def shared(*parts: str) -> Path:
    """Return the path of a shared file or folder; exit with a message if it does not exist."""
    path = Path(__file__).resolve().parents[2].joinpath("shared", *parts)
    if not path.exists():
        sys.exit(
            f"NOT RUN: {path} does not exist. The benchmarks use models and photos that are "
            "not in the repository: put the folder `shared` beside the repository."
        )
    return path


def seconds_per_call(call: Callable[[], object], calls: int) -> float:
    """Return the mean time of consecutive calls, with the garbage collector off."""
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) / calls
    finally:
        gc.enable()


def interleaved(
    candidates: Mapping[_Key, Callable[[], object]], *, rounds: int, calls: int
) -> dict[_Key, list[float]]:
    """Time calls by turns (A B A B …). Returns name → seconds per call, one number per round."""
    times: dict[_Key, list[float]] = {name: [] for name in candidates}
    for index in range(rounds + 1):
        for name, call in candidates.items():
            seconds = seconds_per_call(call, calls)
            if index:  # the first round is a warm-up
                times[name].append(seconds)
    return times


def ratio(times: Sequence[float], reference: Sequence[float]) -> float:
    """Return the median of the ratios per round, in which a slow round cancels."""
    return median(ours / theirs for ours, theirs in zip(times, reference, strict=True))


def duration(times: Sequence[float]) -> str:
    """Format the median in milliseconds, or in microseconds below one millisecond."""
    return millis(times) if median(times) >= 1e-3 else micros(times)


def micros(times: Sequence[float]) -> str:
    """Format the median in microseconds."""
    return f"{median(times) * 1e6:.1f} µs"


def millis(times: Sequence[float]) -> str:
    """Format the median in milliseconds."""
    return f"{median(times) * 1e3:.1f} ms"
