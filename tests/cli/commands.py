"""Images of three colors, and the results of commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

COLORS = {"blue": (20, 40, 200), "green": (30, 200, 40), "red": (210, 30, 30)}


@dataclass(frozen=True)
class Result:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def changes(self) -> list[str]:
        """What `fit` prints about its folder: the lines on stderr without the notes."""
        return [line for line in self.err.splitlines() if not line.startswith("note: ")]

    @property
    def error(self) -> str:
        """The error line."""
        assert self.code == 1, self
        assert self.out == "", self
        (line,) = self.err.splitlines()
        assert line.startswith("error: ")
        return line


Run = Callable[..., Result]


def photos(folder: Path, count: int, seed: int) -> Path:
    """Write `count` images of each color, with one folder per class."""
    rng = np.random.default_rng(seed)
    for label, color in COLORS.items():
        (folder / label).mkdir(parents=True)
        for index in range(count):
            pixels = np.clip(rng.normal(color, 20, (12, 15, 3)), 0, 255).astype(np.uint8)
            PIL.Image.fromarray(pixels).save(folder / label / f"{index}.png")
    return folder
