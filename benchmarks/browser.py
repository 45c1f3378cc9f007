"""Benchmarks in a page of headless Chromium; the page is in `web/benchmarks`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["LITERT", "Outputs", "measure", "threads_name"]

LITERT = "LiteRT.js alone"
_WEB = Path(__file__).resolve().parents[1] / "web"


@dataclass(frozen=True)
class Outputs:
    """What the pages returned.

    Attributes:
        results: result of each request.
        loaded: URL → sizes (`bytes`, and `compressed` by gzip) of the files of each page.
        browser: version of Chromium.
    """

    results: Sequence[Any]
    loaded: Sequence[Mapping[str, Mapping[str, int]]]
    browser: str


def measure(folder: Path, requests: Sequence[tuple[str, Mapping[str, Any]]]) -> Outputs:
    """Run benchmarks, each in a page of its own; exit with a message if they are not installed.

    Args:
        folder: folder at the address `files/` of the pages.
        requests: name and options of each, see `web/benchmarks`.
    """
    for part in (_WEB, _WEB / "benchmarks"):
        if not (part / "node_modules").is_dir():
            sys.exit(f"NOT RUN: run `npm ci` in {part}, which needs Node.js 20.19 or later")
    process = subprocess.run(
        ["node", str(_WEB / "benchmarks" / "run.js"), str(folder)],
        input=json.dumps(requests), stdout=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "NODE_ENV": "production"},
    )  # fmt: skip
    output = json.loads(process.stdout)
    return Outputs(
        [each["result"] for each in output["outputs"]],
        [each["loaded"] for each in output["outputs"]],
        f"Chromium {output['version']}",
    )


def threads_name(has_threads: bool) -> str:
    """Return the name of a number of threads, for a table."""
    return f"{os.cpu_count()}" if has_threads else "1"
