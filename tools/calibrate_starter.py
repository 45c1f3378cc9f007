"""Measure what range each activation of the starter base takes, for its int8 form.

Runs the float network over photos at several sizes and writes the least and the greatest value of
each activation to the table that the base is quantized by. Run it again only when the network, the
weights or the way in which pictures are prepared change:

    python tools/calibrate_starter.py ../shared/data/imagenet_samples
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from sartor.bases.efficientnet_lite0.network import network
from sartor.bases.efficientnet_lite0.weights import Weights, load_weights
from sartor.flatbuffer import write
from sartor.modalities import image_pixels

SIZES = (96, 128, 160, 224, 320)
PICTURES = 100  # at each size, other ones each time
MEAN, DEVIATION = 127, 128
TABLE = Path(__file__).parents[1] / "src/sartor/bases/efficientnet_lite0/ranges.json"


def main() -> None:
    """Measure, and write the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("photos", type=Path, help="a folder of photos of many kinds")
    photos = sorted(arguments.parse_args().photos.glob("*.jpg"))
    weights = load_weights()
    rows = [
        measure(weights, size, photos[start :: len(SIZES)][:PICTURES])
        for start, size in enumerate(SIZES)
    ]
    lines = [f"  {json.dumps(name)}: {_joined([row[name] for row in rows])}" for name in rows[0]]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} ranges from {len(photos)} photos in {TABLE}")


def measure(weights: Weights, size: int, photos: list[Path]) -> dict[str, tuple[float, float]]:
    """Name → the least and greatest value of each activation over some photos."""
    model = network(weights, size)
    names = [op.output.name for op in model.main.ops]
    warnings.simplefilter("ignore")  # keeping all tensors is for debugging, as here
    interpreter = Interpreter(
        model_content=write(model), num_threads=2, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    places = {each["name"]: each["index"] for each in interpreter.get_tensor_details()}
    image = interpreter.get_input_details()[0]["index"]
    found: dict[str, tuple[float, float]] = dict.fromkeys(names, (0.0, 0.0))
    for photo in photos:
        pixels = image_pixels(photo, (size, size)).astype(np.float32)
        interpreter.set_tensor(image, (pixels[np.newaxis] - MEAN) / DEVIATION)
        interpreter.invoke()
        for name in names:
            value = interpreter.get_tensor(places[name])
            low, high = found[name]
            found[name] = min(low, float(value.min())), max(high, float(value.max()))
    return found


def _joined(ranges: list[tuple[float, float]]) -> str:
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return f"[{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
