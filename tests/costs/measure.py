"""Print the bytes of private memory that three steps of training take: `measure.py MODEL`."""

import re
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def private_bytes() -> int:
    text = Path("/proc/self/smaps_rollup").read_text()
    size = re.search(r"^Private_Dirty: *(\d+) kB", text, re.MULTILINE)
    assert size is not None
    return int(size[1]) * 1024


def main(path: str, key: str = "train") -> None:
    before = private_bytes()
    runner = Interpreter(model_path=path, num_threads=1).get_signature_runner(key)
    opened = private_bytes()
    shapes = {name: each["shape"] for name, each in runner.get_input_details().items()}
    inputs = {name: np.full(shape, 0.01, np.float32) for name, shape in shapes.items()}
    filled = private_bytes()
    for _ in range(3):
        runner(**inputs)
    print(private_bytes() - filled + opened - before)


main(*sys.argv[1:])
