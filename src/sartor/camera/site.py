"""The files of the camera app, with the bases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..bases import EfficientNetLite0
from ..convert import convert
from ..errors import SartorError

__all__ = ["APP_FOLDER", "CAPACITY", "SIZES", "Site", "load_site"]

APP_FOLDER = Path(__file__).parent / "dist"
"""Folder of the built app. `npm run build` in `web` writes it; a wheel contains it."""

SIZES = (224, 192, 160, 128)
"""Input sizes of the starter bases in the app, the default one first."""

CAPACITY = 12
"""Largest number of classes in the app."""

_INDEX = "index.html"
_BASES = "bases"
_DESCRIPTIONS = {
    224: "The most accurate.",
    192: "A third faster, 1 to 2 points less accurate.",
    160: "Twice as fast, 1 to 3 points less accurate.",
    128: "Two to three times as fast, 4 to 6 points less accurate.",
}


@dataclass(frozen=True)
class Site:
    """All files of the app.

    Attributes:
        files: path of a file, or its content, by its URL without the slash at the start.
    """

    files: dict[str, Path | bytes]

    def content(self, url: str) -> bytes | None:
        """Return the content of a file, or None if there is none; `""` is the page."""
        file = self.files.get(url or _INDEX)
        return file.read_bytes() if isinstance(file, Path) else file

    def save(self, folder: Path) -> Path:
        """Write all files into a new folder, for a static host.

        Raises:
            FileExistsError: If the folder exists.
        """
        folder.mkdir(parents=True)
        for url in self.files:
            path = folder / url
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.content(url) or b"")
        return folder


def load_site(folder: Path = APP_FOLDER, sizes: Sequence[int] = SIZES) -> Site:
    """Return the files of the built app, and convert the starter bases for it.

    Args:
        folder: folder of the built app.
        sizes: input sizes of the bases, the default one first.

    Raises:
        SartorError: If the app is not built.
    """
    if not (folder / _INDEX).is_file():
        raise SartorError(
            f"the camera app is not built: {folder / _INDEX} does not exist. Run `npm ci && "
            "npm run build` in the folder `web` of a checkout, with Node.js 20.19 or later"
        )
    files: dict[str, Path | bytes] = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    listed = []
    for size in sizes:
        content = convert(EfficientNetLite0(input_size=size), classes=CAPACITY).content
        name = f"starter-{size}.tflite"
        files[f"{_BASES}/{name}"] = content
        listed.append(
            {
                # The digest makes browsers load a new version.
                "file": f"{name}?v={hashlib.sha256(content).hexdigest()[:16]}",
                "name": f"Starter, {size} x {size} pixels",
                "description": _DESCRIPTIONS.get(size, ""),
            }
        )
    files[f"{_BASES}/bases.json"] = json.dumps(listed, indent=2).encode()
    return Site(files)
