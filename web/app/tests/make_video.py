"""Write the video of the fake camera: python make_video.py FILE FOLDER….

The photos of each folder are one scene. A strip of color at the left edge, which the model does not
see, tells the tests which scene is playing. It is black in the first and the last second of a
scene, so that a slow machine records no frame of the next one. The file is a sequence of JPEGs,
which Chromium plays at 30 frames per second, again and again.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import PIL.Image
import PIL.ImageOps

SIZE = (640, 480)
STRIP = 60  # pixels; the model sees the square in the center, from 80 on
COLORS = ("#ff0000", "#0000ff", "#00ff00", "#ffffff")
PHOTOS = 6
FRAMES = 20  # for each photo, moved a little from frame to frame
MARGIN = 30  # frames with a black strip at both ends of a scene


def main(output: Path, folders: list[Path]) -> None:
    """Write the video."""
    with output.open("wb") as file:
        for folder, color in zip(folders, COLORS, strict=False):
            for number, path in enumerate(sorted(folder.iterdir())[:PHOTOS]):
                photo = PIL.Image.open(path).convert("RGB")
                for frame in range(FRAMES):
                    time = number * FRAMES + frame
                    is_inside = MARGIN <= time < PHOTOS * FRAMES - MARGIN
                    file.write(render(photo, color if is_inside else "#000000", frame))


def render(photo: PIL.Image.Image, color: str, frame: int) -> bytes:
    """Return one frame as JPEG."""
    image = PIL.ImageOps.fit(photo, SIZE, centering=(0.5, 0.4 + 0.01 * frame))
    image = image.rotate((frame - FRAMES / 2) / 2, resample=PIL.Image.Resampling.BILINEAR)
    image.paste(color, (0, 0, STRIP, SIZE[1]))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
