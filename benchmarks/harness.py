"""What all benchmarks share: where the data is, how time is taken, and how a table is reported."""

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
    "Promise",
    "Report",
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
"""The base that is promised for: a 4 MB int8 MobileNetV2."""

BASES = {
    "MobileNetV2 1.0, int8": MOBILENET,
    "MobileNetV1 0.25, uint8": "mobilenet_v1_0.25_128_quant.tflite",
}
"""Name → file of the bases, the promised one first."""


@dataclass(frozen=True)
class Promise:
    """One thing that Sartor promises, and what was measured."""

    text: str
    measured: str
    held: bool


@dataclass(frozen=True)
class Report:
    """One table and what it means.

    Attributes:
        title: of the table.
        columns, rows: what it shows.
        promises: held or broken.
        notes: how it was measured, and what was left out.
        data: the numbers themselves, for `--json`.
        load: of the machine when the table was done, one minute's average.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    promises: Sequence[Promise] = ()
    notes: Sequence[str] = ()
    data: Any = None
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def held(self) -> bool:
        """Whether no promise is broken."""
        return all(promise.held for promise in self.promises)

    def print(self) -> None:
        """Show it in the terminal."""
        from rich.console import Console
        from rich.table import Table

        table = Table(title=self.title, title_justify="left")
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="right" if index else "left")
        for row in self.rows:
            table.add_row(*row)
        console = Console()
        console.print(table)
        for promise in self.promises:
            word = "[green]held[/]  " if promise.held else "[red]BROKEN[/]"
            console.print(f"{word} {promise.text}: {promise.measured}", highlight=False)
        for note in (*self.notes, self._load_note()):
            console.print(f"- {note}", style="dim", highlight=False)

    def markdown(self) -> str:
        """The same for `docs/benchmarks.md`."""
        head = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)]]
        table = "\n".join(f"| {' | '.join(row)} |" for row in (*head, *self.rows))
        promises = "\n".join(
            f"- {'Held' if promise.held else '**Broken**'}: {promise.text}: {promise.measured}."
            for promise in self.promises
        )
        notes = "\n".join(f"- {note}" for note in (*self.notes, self._load_note()))
        return "\n\n".join(filter(None, [f"## {self.title}", table, promises, notes])) + "\n"

    def json(self) -> str:
        """The numbers, for other programs."""
        return json.dumps({**asdict(self), "held": self.held}, indent=2, ensure_ascii=False)

    def _load_note(self) -> str:
        return f"Load average of the last minute at the end: {self.load:.1f}."


def main(run: Callable[[], Report]) -> None:
    """Run one benchmark from the command line; ends non-zero when a promise is broken."""
    parser = argparse.ArgumentParser(description=sys.modules[run.__module__].__doc__)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    as_json = parser.parse_args().json
    report = run()
    if as_json:
        print(report.json())
    else:
        report.print()
    sys.exit(0 if report.held else 1)


def shared(*parts: str) -> Path:
    """A file or folder of the shared data; ends the program, loudly, where it is missing."""
    path = Path(__file__).resolve().parents[2].joinpath("shared", *parts)
    if not path.exists():
        sys.exit(
            f"NOT RUN: {path} does not exist. The benchmarks measure real models and photos, "
            "which are not in the repository: put the folder `shared` beside it."
        )
    return path


def seconds_per_call(call: Callable[[], object], calls: int) -> float:
    """The mean time of some calls in a row, with the garbage collector off."""
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) / calls
    finally:
        gc.enable()


def interleaved(
    entrants: Mapping[_Key, Callable[[], object]], *, rounds: int, calls: int
) -> dict[_Key, list[float]]:
    """Time several things in turn, A B A B …: name → seconds a call, one number a round."""
    times: dict[_Key, list[float]] = {name: [] for name in entrants}
    for index in range(rounds + 1):
        for name, call in entrants.items():
            taken = seconds_per_call(call, calls)
            if index:  # the first round only warms up
                times[name].append(taken)
    return times


def ratio(times: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the rounds' ratios: what slows a whole round down cancels."""
    return median(ours / theirs for ours, theirs in zip(times, reference, strict=True))


def micros(times: Sequence[float]) -> str:
    """The median in microseconds."""
    return f"{median(times) * 1e6:.1f} µs"


def millis(times: Sequence[float]) -> str:
    """The median in milliseconds."""
    return f"{median(times) * 1e3:.1f} ms"
