"""Measure the range of each activation of the starter base, for its quantization to int8.

Run the float network on photos of several sizes, and write the minimum and the maximum of each
activation to `ranges.json`. Run this again only if the network, the weights or the preprocessing
of images change:

    python tools/calibrate_starter.py ../shared/data/imagenet_samples
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from sartor.bases.efficientnet_lite0.network import build_network
from sartor.bases.efficientnet_lite0.weights import Weights, load_weights
from sartor.flatbuffer import write
from sartor.modalities import image_pixels

SIZES = (96, 128, 160, 224, 320)
PHOTOS = 100  # for each size, different ones
MEAN, DEVIATION = 127, 128
TABLE = Path(__file__).parents[1] / "src/sartor/bases/efficientnet_lite0/ranges.json"


def main() -> None:
    """Measure the ranges and write the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("photos", type=Path, help="folder with photos of many subjects")
    photos = sorted(arguments.parse_args().photos.glob("*.jpg"))
    weights = load_weights()
    rows = [
        measure(weights, size, photos[start :: len(SIZES)][:PHOTOS])
        for start, size in enumerate(SIZES)
    ]
    lines = [f"  {json.dumps(name)}: {_joined([row[name] for row in rows])}" for name in rows[0]]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} ranges from {len(photos)} photos in {TABLE}")


def measure(weights: Weights, size: int, photos: list[Path]) -> dict[str, tuple[float, float]]:
    """Return name → minimum and maximum of each activation over the photos."""
    model = build_network(weights, size)
    names = [op.output.name for op in model.main.ops]
    warnings.simplefilter("ignore")  # LiteRT warns that all tensors are preserved
    interpreter = Interpreter(
        model_content=write(model), num_threads=2, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    indices = {each["name"]: each["index"] for each in interpreter.get_tensor_details()}
    image = interpreter.get_input_details()[0]["index"]
    ranges: dict[str, tuple[float, float]] = dict.fromkeys(names, (0.0, 0.0))
    for photo in photos:
        pixels = image_pixels(photo, (size, size)).astype(np.float32)
        interpreter.set_tensor(image, (pixels[np.newaxis] - MEAN) / DEVIATION)
        interpreter.invoke()
        for name in names:
            value = interpreter.get_tensor(indices[name])
            low, high = ranges[name]
            ranges[name] = min(low, float(value.min())), max(high, float(value.max()))
    return ranges


def _joined(ranges: list[tuple[float, float]]) -> str:
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return f"[{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
