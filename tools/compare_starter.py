"""Measure the starter base at several sizes and write the tables of docs/starter.md.

This needs scikit-learn, and the data and models that the tests use:

    python tools/compare_starter.py ../shared

The accuracy is that of a logistic regression, trained on a few samples per class of `clothing`, on
all validation photos. File size, time and memory are those of the converted base with a softmax
head of ten classes.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: BLAS threads would only wait

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from sklearn.linear_model import LogisticRegression

from sartor.bases import Base, EfficientNetLite0, TFLite
from sartor.convert import convert
from sartor.modalities import image_pixels, prepare

SIZES = (96, 128, 160, 192, 224)
SAMPLES = (5, 20, 50)
DRAWS = 10
MOBILENET = "models/tf2_mobilenet_v2_1.0_224_ptq.tflite"
PAGE = Path(__file__).parents[1] / "docs/starter.md"
MEMORY = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

def resident(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))

open("/proc/self/clear_refs", "w").write("5")  # resets the peak
before = resident("VmRSS")
infer = Interpreter(sys.argv[1], num_threads=1).get_signature_runner("infer")
details = infer.get_input_details()["input"]
for _ in range(5):
    infer(input=np.zeros(details["shape"], details["dtype"]))
print(resident("VmHWM") - before)
"""


@dataclass(frozen=True)
class Candidate:
    """A base, and the tensor that it is cut at."""

    name: str
    base: Base
    size: int
    features: str | None = None


@dataclass(frozen=True)
class Photos:
    """Pixels [N, size, size, 3] with class indices [N]."""

    pixels: np.ndarray
    classes: np.ndarray


def main() -> None:
    """Measure the bases and write the tables."""
    parser = argparse.ArgumentParser(description="Write the tables of docs/starter.md.")
    parser.add_argument("shared", type=Path, help="folder with data/ and models/")
    shared = parser.parse_args().shared
    write_table("sizes", [*HEADER, *(row(each, shared) for each in candidates(shared))])
    write_table("imagenet", [*IMAGENET_HEADER, *(imagenet_row(size, shared) for size in SIZES)])


HEADER = (
    "| base | input | features | file, MB | ms, 1 thread | ms, 2 threads | memory, MB | "
    + " | ".join(f"{count} per class" for count in SAMPLES) + " |",
    "|---" * 10 + "|",
)  # fmt: skip
IMAGENET_HEADER = (
    "| input | float: top-1 | top-5 | int8: top-1 | top-5 | same top-1 | cosine of the features |",
    "|---" * 7 + "|",
)


def candidates(shared: Path) -> Iterator[Candidate]:
    """Yield the bases to compare."""
    for features in (None, "features_320"):
        for size in SIZES:
            yield Candidate("EfficientNet-Lite0", EfficientNetLite0(size), size, features)
    yield Candidate("the same, float", EfficientNetLite0(224, quantize=False), 224)
    yield Candidate("MobileNetV2 1.0", TFLite(shared / MOBILENET), 224)


def row(candidate: Candidate, shared: Path) -> str:
    """Return one line of the table of sizes."""
    model = convert(candidate.base, classes=10, features=candidate.features)
    length = model.manifest.features[0].shape[0]
    train, test = (clothing(shared, part, candidate.size) for part in ("train", "validation"))
    with tempfile.TemporaryDirectory() as folder:
        path = str(model.save(Path(folder, "model.tflite")))
        images = [
            [prepare(model.manifest.inputs, each)["input"] for each in photos.pixels]
            for photos in (train, test)
        ]
        times = [milliseconds(path, images[0][0], threads) for threads in (1, 2)]
        memory = int(subprocess.check_output([sys.executable, "-c", MEMORY, path])) / 1024
        features = [embed(path, each) for each in images]
    scores = [few_shot(features, train.classes, test.classes, count) for count in SAMPLES]
    cells = [
        candidate.name, candidate.size, length, f"{len(model.content) / 1e6:.2f}",
        *(f"{each:.1f}" for each in times), f"{memory:.0f}",
        *(f"{np.mean(each):.3f} ± {np.std(each):.3f}" for each in scores),
    ]  # fmt: skip
    return report(cells)


def imagenet_row(size: int, shared: Path) -> str:
    """Return one line of the table that compares int8 with float."""
    paths = sorted((shared / "data/imagenet_samples").glob("*.jpg"))
    photos = Photos(pixels_of(paths, size), np.array([int(path.name[:4]) for path in paths]))
    exact, exact_features = classify(EfficientNetLite0(size, quantize=False), photos.pixels)
    logits, features = classify(EfficientNetLite0(size), photos.pixels)
    lengths = np.linalg.norm(exact_features, axis=1) * np.linalg.norm(features, axis=1)
    cosine = ((exact_features * features).sum(axis=1) / lengths).mean()
    same = (exact.argmax(axis=1) == logits.argmax(axis=1)).mean()
    tops = [top(each, photos.classes, count) for each in (exact, logits) for count in (1, 5)]
    return report([size, *(f"{each:.3f}" for each in [*tops, same, cosine])])


def report(cells: Sequence[object]) -> str:
    """Print one line of a table and return it."""
    line = f"| {' | '.join(map(str, cells))} |"
    print(line, flush=True)
    return line


def clothing(shared: Path, part: str, size: int) -> Photos:
    """Return all photos of one split of `clothing`."""
    folders = sorted((shared / "data/clothing" / part).iterdir())
    paths = [(path, index) for index, each in enumerate(folders) for path in sorted(each.iterdir())]
    classes = np.array([index for _, index in paths])
    return Photos(pixels_of([path for path, _ in paths], size), classes)


def pixels_of(paths: Sequence[Path], size: int) -> np.ndarray:
    """Return photos as pixels [N, size, size, 3]."""
    return np.stack([image_pixels(path, (size, size)) for path in paths])


def embed(path: str, images: Sequence[np.ndarray]) -> np.ndarray:
    """Return the features [N, F] of images, from a converted file."""
    infer = Interpreter(path, num_threads=2).get_signature_runner("infer")
    return np.concatenate([infer(input=each)["features"] for each in images])


def milliseconds(path: str, image: np.ndarray, threads: int) -> float:
    """Return the time of the fastest of many calls, which other load disturbs least."""
    infer = Interpreter(path, num_threads=threads).get_signature_runner("infer")
    times = []
    for _ in range(10):
        for _ in range(25):
            start = time.perf_counter()
            infer(input=image)
            times.append(time.perf_counter() - start)
        time.sleep(0.3)
    return min(times) * 1e3


def few_shot(
    features: Sequence[np.ndarray], train: np.ndarray, test: np.ndarray, count: int
) -> list[float]:
    """Return the accuracy with `count` samples per class, for each of several draws."""
    scores = []
    for draw in range(DRAWS):
        random = np.random.default_rng(draw)
        rows = [np.flatnonzero(train == each) for each in np.unique(train)]
        draws = np.concatenate([random.permutation(each)[:count] for each in rows])
        model = LogisticRegression(max_iter=500).fit(features[0][draws], train[draws])
        scores.append(float(model.score(features[1], test)))
    return scores


def classify(base: EfficientNetLite0, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits and features [N, …] of a base."""
    interpreter = Interpreter(
        model_content=base.content(), num_threads=2, experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    image = interpreter.get_input_details()[0]
    outputs: dict[str, list[np.ndarray]] = {"logits": [], "features": []}
    details = [each for each in interpreter.get_tensor_details() if each["name"] in outputs]
    for each in pixels:
        value = each if image["dtype"] is np.uint8 else (each.astype(np.float32) - 127) / 128
        interpreter.set_tensor(image["index"], value[np.newaxis])
        interpreter.invoke()
        for detail in details:
            outputs[detail["name"]].append(dequantized(interpreter, detail))
    return np.concatenate(outputs["logits"]), np.concatenate(outputs["features"])


def dequantized(interpreter: Any, detail: dict[str, Any]) -> np.ndarray:
    """Return the value of a tensor as floats."""
    value = interpreter.get_tensor(detail["index"]).astype(np.float32)
    scale, zero_point = detail["quantization"]
    result: np.ndarray = (value - zero_point) * scale if scale else value
    return result


def top(logits: np.ndarray, classes: np.ndarray, count: int) -> float:
    """Return how often the class is among the `count` most probable ones."""
    best = np.argsort(-logits, axis=1)[:, :count]
    return float((best == classes[:, np.newaxis]).any(axis=1).mean())


def write_table(name: str, lines: Sequence[str]) -> None:
    """Replace the text between `<!-- NAME -->` and `<!-- end -->` in the page."""
    table = "\n".join(lines)
    pattern = f"(<!-- {name} -->\n).*?(<!-- end -->)"
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    note = f"\n\nMeasured on {system}, ai-edge-litert {version('ai-edge-litert')}.\n"
    page = re.sub(
        pattern, lambda match: match[1] + table + note + match[2], PAGE.read_text(), flags=re.DOTALL
    )
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
