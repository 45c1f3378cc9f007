"""The two Python runtimes of LiteRT as functions: signature and inputs → outputs."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.interpreter import Interpreter

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "contract"))  # the scripts are not a package

VERSION = tuple(int(n) for n in importlib.metadata.version("ai-edge-litert").split(".")[:3])

Runtime: TypeAlias = Callable[[str, Mapping[str, np.ndarray]], dict[str, np.ndarray]]


def by_interpreter(path: Path) -> Runtime:
    interpreter = Interpreter(model_path=str(path), num_threads=1)

    def call(signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        outputs: dict[str, np.ndarray] = interpreter.get_signature_runner(signature)(**inputs)
        return outputs

    return call


def by_compiled_model(path: Path) -> Runtime:
    model = CompiledModel.from_file(str(path))

    def call(signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        details = model.get_output_tensor_details(signature)
        buffers = {name: model.create_input_buffer_by_name(signature, name) for name in inputs}
        for name, value in inputs.items():
            buffers[name].write(value)
        outputs = {name: model.create_output_buffer_by_name(signature, name) for name in details}
        model.run_by_name(signature, buffers, outputs)
        return {
            name: outputs[name]
            .read(int(np.prod(detail["shape"])), np.float32)
            .reshape(detail["shape"])
            for name, detail in details.items()
        }

    return call


RUNTIMES = {"Interpreter": by_interpreter, "CompiledModel": by_compiled_model}
