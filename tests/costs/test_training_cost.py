"""The predicted cost of training, against LiteRT: memory of a process, parts, multiply-adds."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import sartor
from sartor._conversion_options import check_options
from sartor._training_depths import predict_depths
from sartor.bases import load_base
from sartor.costs.arena import Block, arena_size
from sartor.costs.xnnpack import split_graph
from sartor.flatbuffer import read, write
from sartor.graph import Graph, Model, Op, Signature
from sartor.heads import FineTune
from sartor.inspection import ModelDescription, TrainingCost
from sartor.ops import add
from sartor.passes import prepare_base

MEASURE = Path(__file__).parent / "measure.py"
MOBILENET, RESNET = "tf2_mobilenet_v2_1.0_224_ptq.tflite", "pretrainedResnet.tflite"
WORDS, PERSONS = "kws_ref_model_float32.tflite", "vww_96_int8.tflite"
DEPTHS = [
    *[(MOBILENET, last) for last in (0, 1, 2, 4)], *[(RESNET, last) for last in (0, 1, 3, 9)],
    *[(WORDS, last) for last in (0, 2, 6)], *[(PERSONS, last) for last in (0, 9)],
    ("mobilenet_v1_0.25_128_quant.tflite", 5),
]  # fmt: skip
BATCH = 20
LARGE = 8_000_000  # bytes; below, parts that differ between CPUs weigh more

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def measured_bytes(path: Path) -> int:
    command = [sys.executable, str(MEASURE), str(path)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return int(process.stdout)


def predicted(path: Path, last: int) -> TrainingCost:
    description = sartor.describe(path, classes=10, batch_size=BATCH, layers=last)
    assert isinstance(description, ModelDescription)
    assert description.training is not None
    depth = description.training.depths[last]
    assert depth.last == last
    return depth.cost


def convert(path: Path, last: int) -> sartor.PersonalizableModel:
    head = FineTune(last) if last else None
    return sartor.convert(path, classes=10, head=head, batch_size=BATCH, optimizer=sartor.Adam())


def train_graph(content: bytes) -> tuple[Model, Graph]:
    model = read(content)
    signature = model.signature("train")
    assert signature is not None
    return model, signature.graph


@linux
@pytest.mark.parametrize(("name", "last"), DEPTHS)
def test_memory_is_within_20_percent_and_if_large_within_5(
    name: str, last: int, shared_models: Path, tmp_path: Path
) -> None:
    path = convert(shared_models / name, last).save(tmp_path / "model.tflite")
    measured = measured_bytes(path)
    tolerance = 0.05 if measured > LARGE else 0.2
    assert predicted(shared_models / name, last).memory == pytest.approx(measured, rel=tolerance)


@linux
@pytest.mark.parametrize(("name", "last"), [(RESNET, 5), (WORDS, 6)])
def test_memory_with_frozen_weights(
    name: str, last: int, shared_models: Path, tmp_path: Path
) -> None:
    """XNNPACK packs the frozen weights, and those of the gradient."""
    path, head = shared_models / name, FineTune(last, biases_only=True)
    model = sartor.convert(path, classes=10, head=head, batch_size=BATCH)
    options = check_options(
        classes=10, head=head, optimizer=None, features=None, capacity=None, batch_size=BATCH,
        mean=None, std=None, preprocessing=None, normalize=None, quantize="none",
        representative=None,
    )  # fmt: skip
    prepared = prepare_base(load_base(path), (), None)
    *_, depth = predict_depths(prepared, options, last)
    measured = measured_bytes(model.save(tmp_path / "model.tflite"))
    assert depth.cost.memory == pytest.approx(measured, rel=0.2)


@linux
@pytest.mark.parametrize(("name", "last"), [(MOBILENET, 4), (RESNET, 5)])
def test_biases_take_less_memory_than_weights(
    name: str, last: int, shared_models: Path, tmp_path: Path
) -> None:
    """A bias needs no activation but the output of an activation function, and no other does."""
    measured = []
    for biases_only in (False, True):
        head = FineTune(last, biases_only=biases_only)
        model = sartor.convert(
            shared_models / name, classes=10, head=head, batch_size=BATCH, optimizer=sartor.Adam()
        )
        measured.append(measured_bytes(model.save(tmp_path / "model.tflite")))
    assert measured[1] < 0.7 * measured[0]


@linux
def test_one_op_takes_the_stated_memory(tmp_path: Path) -> None:
    graph, model, count = Graph("main"), Model(), 1000
    x = y = graph.input("x", (4, 4))
    for _ in range(count):
        y = add(y, x)
    graph.outputs, y.name = [y], "y"
    model.graphs, model.signatures = [graph], [Signature("train", graph, {"x": x}, {"y": y})]
    path = tmp_path / "ops.tflite"
    path.write_bytes(write(model))
    assert measured_bytes(path) / count == pytest.approx(2000, rel=0.2)


@pytest.mark.parametrize(("name", "last"), DEPTHS)
def test_litert_splits_the_graph_into_the_same_parts(
    name: str, last: int, shared_models: Path
) -> None:
    model, graph = train_graph(convert(shared_models / name, last).content)
    model.graphs.sort(key=lambda each: each is not graph)  # LiteRT lists the ops of the first one
    parts = split_graph(graph)
    interpreter = Interpreter(model_content=write(model), num_threads=1)
    interpreter.allocate_tensors()
    expected = [
        len(op["outputs"]) for op in interpreter._get_ops_details() if op["op_name"] == "DELEGATE"
    ]
    outputs = [
        sum(_leaves(part.ops, tensor.consumers) or tensor in graph.outputs
            for op in part.ops for tensor in op.outputs)
        for part in parts if part.in_xnnpack
    ]  # fmt: skip
    assert outputs == expected


def _leaves(ops: tuple[Op, ...], consumers: list[Op]) -> bool:
    return any(op not in ops for op in consumers)


@pytest.mark.parametrize(("name", "last"), [(MOBILENET, 4), (RESNET, 3), (WORDS, 0)])
def test_multiply_adds_are_those_of_the_file(name: str, last: int, shared_models: Path) -> None:
    _, graph = train_graph(convert(shared_models / name, last).content)
    count = 0
    for op in graph.ops:
        if op.code == "BATCH_MATMUL":
            count += op.output.size * op.input(0).shape[-2 if op.options.get("adjX") else -1]
        elif op.code == "DEPTHWISE_CONV_2D":
            count += op.output.size * math.prod(op.input(1).shape[1:3])
    assert predicted(shared_models / name, last).multiply_adds == count


def test_variables_and_samples_are_those_of_the_file(shared_models: Path) -> None:
    path = shared_models / MOBILENET
    manifest, cost = convert(path, 4).manifest, predicted(path, 4)
    assert cost.variables == sum(4 * math.prod(each.shape) for each in manifest.variables)
    assert cost.parameters == sum(
        math.prod(each.shape) for each in manifest.variables if each.role == "parameter"
    )
    assert cost.sample_bytes == math.prod(manifest.features[0].shape)  # int8


@pytest.mark.parametrize(
    ("blocks", "size"),
    [
        ([], 0),
        ([(8, 0, 1), (4, 2, 3)], 8),  # one after the other
        ([(8, 0, 2), (4, 2, 3)], 12),  # at the same time
        ([(8, 0, 1), (6, 1, 2), (2, 2, 3)], 14),  # the third takes the place of the first
        (
            [(8, 0, 0), (4, 0, 1), (3, 0, 0), (2, 0, 1), (3, 1, 1), (7, 1, 1)],
            17,
        ),  # the smallest gap
    ],
)
def test_arena(blocks: list[tuple[int, int, int]], size: int) -> None:
    assert arena_size(Block(*each) for each in blocks) == size


def test_blocks_are_aligned() -> None:
    assert arena_size([Block(10, 0, 1), Block(10, 0, 1)], alignment=64) == 74


def test_an_adaptive_optimizer_takes_more_memory(real_model: Path) -> None:
    costs: list[int] = []
    for optimizer in (sartor.SGD(), sartor.SGD(momentum=0.9), sartor.Adam()):
        description = sartor.describe(real_model, classes=3, optimizer=optimizer, layers=1)
        assert isinstance(description, ModelDescription)
        assert description.training is not None
        costs.append(description.training.depths[1].cost.variables)
    assert np.all(np.diff(costs) > 0)
