"""Files with flipped bits are refused, or the runtime survives them."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from flatbuffer_helpers import MODELS
from table_changes import VALID

from sartor.errors import InvalidModelError
from sartor.flatbuffer import read, write


def flip_bits(content: bytes, seed: int) -> bytes:
    """Return a file with a few changed bytes, most of them in its tables."""
    rng = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        position = rng.randrange(8, len(damaged) if rng.random() < 0.1 else 8000)
        damaged[position] = rng.choice((damaged[position] ^ (1 << rng.randrange(8)), 0, 1, 255))
    return bytes(damaged)


BASES = [VALID.ljust(8000, b"\0"), *(write(read(path)) for path in MODELS if "kws" in path.name)]


@pytest.mark.parametrize("base", BASES, ids=lambda base: f"{len(base)} bytes")
def test_flipped_bits_are_refused_or_give_a_model(base: bytes) -> None:
    errors = 0
    for seed in range(300):
        try:
            model = read(flip_bits(base, seed))
        except InvalidModelError:
            errors += 1
            continue
        write(model)
    assert 30 < errors < 270


RUN = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
for path in sys.argv[1:]:
    print(path, flush=True)
    try:
        interpreter = Interpreter(model_path=path, num_threads=1)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            zeros = np.zeros(detail["shape"], detail["dtype"])
            interpreter.set_tensor(detail["index"], zeros)
        interpreter.invoke()
    except (RuntimeError, ValueError):
        pass
"""


@pytest.mark.skipif(not MODELS, reason="NO REAL MODEL IS TESTED: there is no shared folder")
def test_files_that_are_read_do_not_crash_the_runtime(tmp_path: Path) -> None:
    paths = []
    for seed in range(300):
        content = flip_bits(BASES[1], seed)
        try:
            model = read(content)
        except InvalidModelError:
            continue
        if all(tensor.size < 10**7 for tensor in model.main.tensors):
            paths.append(tmp_path / f"{seed}.tflite")
            paths[-1].write_bytes(content)
    assert len(paths) > 30
    command = [sys.executable, "-c", RUN, *map(str, paths)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert process.returncode == 0, f"crashed at {process.stdout.splitlines()[-1]}"
