"""Run all benchmarks, print their tables, and write them to `docs/benchmarks.md`."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from . import (
    accuracy,
    android,
    android_2019,
    android_start,
    block_memory,
    browser_bases,
    browser_learning,
    browser_speed,
    bursts,
    confidence,
    convert,
    epochs,
    fit,
    infer,
    last_block,
    memory,
    mirrored,
    new_class,
    options,
    preview,
    scaling,
    scikit_learn,
    size,
    speed,
    tuned_layers,
)
from .harness import Report

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_RUNS: dict[str, Callable[[], Report]] = {
    "convert": convert.run, "size": size.run, "infer": infer.run, "speed": speed.run,
    "last_block": last_block.run, "block_memory": block_memory.run,
    "epochs": epochs.run, "fit": fit.run, "scikit_learn": scikit_learn.run, "scaling": scaling.run,
    "preview": preview.run, "memory": memory.run, "accuracy": accuracy.run, "options": options.run,
    "mirrored": mirrored.run,
    "new_class": new_class.run, "confidence": confidence.run, "bursts": bursts.run,
    "tuned_layers": tuned_layers.run,
    "android": android.run,
    "android_start": android_start.run, "android_2019": android_2019.run,
    "browser_speed": browser_speed.run, "browser_learning": browser_learning.run,
    "browser_bases": browser_bases.run,
}  # fmt: skip
_PACKAGES = (
    "sartor", "ai-edge-litert", "numpy", "scikit-learn", "onnxruntime-training-cpu", "torch",
    "tensorflow-cpu", "keras",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=_RUNS, help="run these only; write no file")
    only: list[str] = parser.parse_args().only or []
    reports = [_run(name) for name in (only or _RUNS)]
    if not only:
        _PAGE.write_text(_page(reports), encoding="utf-8")
        print(f"Written: {_PAGE}")
    missed = [goal for report in reports for goal in report.goals if not goal.met]
    absent = [report.title for report in reports if not report.has_run]
    for title in absent:
        print(f"Did not run: {title}")
    if missed or not absent:
        print(f"{len(missed)} goals missed" if missed else "All goals met")
    sys.exit(1 if missed or absent else 0)


def _run(name: str) -> Report:
    print(f"{name} …", flush=True)
    report = _RUNS[name]()
    report.print()
    return report


def _page(reports: list[Report]) -> str:
    head = (
        "# Benchmarks\n\n"
        "The goals of Sartor, measured side by side with other frameworks. "
        "`python -m benchmarks` writes this page; `benchmarks/README.md` describes how.\n\n"
        "Compare numbers within one table only, because they were measured by turns. "
        "Between tables and between runs, times differ by up to a factor of two.\n\n"
        f"{_machine()}"
    )
    return "\n".join([head, *(report.markdown() for report in reports)])


def _machine() -> str:
    versions = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = _git("rev-parse", "--short", "HEAD") + (" (changed)" * bool(_changed()))
    lines = [
        f"Date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC; commit {commit}",
        f"Machine: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        f"Packages: {versions}",
    ]
    return "".join(f"- {line}\n" for line in lines)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    match = re.search(r"model name\s*: (.*)", text)
    return match[1].strip() if match else platform.machine()


def _changed() -> str:
    return _git("status", "--porcelain", "--untracked-files=no", "--", "src", "benchmarks")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_PAGE.parent), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip()


if __name__ == "__main__":
    main()
