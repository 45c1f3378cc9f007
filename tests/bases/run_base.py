"""Run a base in LiteRT, quantized or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from sartor.bases import EfficientNetLite0
from sartor.flatbuffer import write


def run(base: EfficientNetLite0, pixels: np.ndarray, names: Sequence[str]) -> list[np.ndarray]:
    """Return named tensors, dequantized, for pixels [N, size, size, 3]."""
    model = base.load()
    model.main.outputs = [model.main.find(name)[-1] for name in names]
    model.metadata.clear()
    interpreter = Interpreter(model_content=write(model), num_threads=2)
    interpreter.allocate_tensors()
    image = interpreter.get_input_details()[0]
    outputs: list[list[np.ndarray]] = [[] for _ in names]
    for each in pixels:
        value = each if base.quantize else (each.astype(np.float32) - 127) / 128
        interpreter.set_tensor(image["index"], value[np.newaxis])
        interpreter.invoke()
        for rows, detail in zip(outputs, interpreter.get_output_details(), strict=True):
            rows.append(_dequantize(interpreter, detail))
    return [np.concatenate(rows) for rows in outputs]


def cosines(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the cosine similarity between the rows of two arrays."""
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    result: np.ndarray = (x * y).sum(axis=1) / lengths
    return result


def _dequantize(interpreter: Any, detail: dict[str, Any]) -> np.ndarray:
    value = np.asarray(interpreter.get_tensor(detail["index"]), np.float32)
    scale, zero_point = detail["quantization"]
    return (value - zero_point) * scale if scale else value
