"""Reading and writing a file keeps the model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import flatbuffer_samples as samples
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as generated
from ai_edge_litert.interpreter import Interpreter
from flatbuffer_helpers import (
    MODELS,
    SHARED,
    change_tables,
    decode_tables,
    differences,
    encode_tables,
    run,
)

from sartor.flatbuffer import append_files, read, write, write_with_places
from sartor.graph import Model, Tensor
from sartor.ops import version_of

SAMPLES = [
    samples.sums,
    samples.control_flow,
    samples.sparse,
    samples.int4,
    samples.rare_features,
]
real_model = pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
sample = pytest.mark.parametrize("build", SAMPLES, ids=lambda build: build.__name__)


def test_the_real_models_exist() -> None:
    if not SHARED.exists():
        pytest.skip(f"NO REAL MODEL IS TESTED: there is no folder {SHARED.name} beside this one")
    assert len(MODELS) >= 8


@real_model
def test_a_real_model_computes_the_same_bits(path: Path) -> None:
    before = path.read_bytes()
    for first, second in zip(run(before), run(write(read(before))), strict=True):
        np.testing.assert_array_equal(first, second)


@real_model
def test_a_real_model_keeps_everything(path: Path) -> None:
    model = read(path)
    content = write(model)
    assert differences(model, read(content)) == []
    assert len(content) <= path.stat().st_size
    assert write(read(content)) == content


@real_model
def test_no_op_has_a_higher_version_than_the_converter_stated(path: Path) -> None:
    for op in read(path).main.ops:
        assert version_of(op) <= (op.version or 0), op


@real_model
def test_the_generated_code_reads_the_same(path: Path) -> None:
    reference = generated.ModelT.InitFromPackedBuf(path.read_bytes())
    graph = read(path).main
    for tensor, expected in zip(graph.tensors, reference.subgraphs[0].tensors, strict=True):
        assert tensor.name == expected.name.decode()
        assert tensor.shape == tuple(expected.shape)
        data = reference.buffers[expected.buffer].data
        if tensor.data is not None:
            np.testing.assert_array_equal(tensor.data, data)
    for op, expected in zip(graph.ops, reference.subgraphs[0].operators, strict=True):
        fields = vars(expected.builtinOptions) if expected.builtinOptions else {}
        options = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in fields.items()}
        assert op.options == options


@sample
def test_a_sample_keeps_everything(build: Callable[[], Model]) -> None:
    model = read(write(build()))
    content = write(model)
    assert differences(model, read(content)) == []
    assert write(read(content)) == content


@sample
def test_a_sample_is_read_as_it_was_built(build: Callable[[], Model]) -> None:
    # Absent options, and absent fields of sparsity and the like, are read as the defaults of the
    # schema. All other differences are losses.
    ignored = (".options.", ".sparsity.", ".variants.", ".details")
    model = build()
    losses = [each for each in differences(model, read(write(model))) if "None and" not in each]
    assert [each for each in losses if not any(field in each for field in ignored)] == []


@sample
def test_the_same_model_gives_the_same_bytes(build: Callable[[], Model]) -> None:
    assert write(build()) == write(build())


def test_each_buffer_starts_at_a_multiple_of_16() -> None:
    for content in [write(read(path)) for path in MODELS] + [write(samples.rare_features())]:
        start = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
        buffers = decode_tables(content)["buffers"]
        positions = [
            each["data"].__array_interface__["data"][0] - start
            for each in buffers
            if each["data"] is not None and each["data"].size
        ]
        assert positions
        assert all(position % 16 == 0 for position in positions)


def test_equal_constants_share_a_buffer_unless_exclusive() -> None:
    model = samples.sums()
    content, ranges = _with_ranges(model)
    buffers = [each["buffer"] for each in decode_tables(content)["subgraphs"][0]["tensors"]]
    assert buffers[1] != buffers[2]
    ((tensor, (offset, size)),) = ranges.items()
    assert tensor.name == "second"
    assert content[offset : offset + size] == samples.WEIGHTS.tobytes()
    # Without `exclusive`, both tensors use one buffer.
    tensor.exclusive = False
    content, ranges = _with_ranges(model)
    buffers = [each["buffer"] for each in decode_tables(content)["subgraphs"][0]["tensors"]]
    assert buffers[1] == buffers[2]
    assert ranges == {}


def test_bytes_written_into_the_range_of_a_constant_are_its_value() -> None:
    content, ranges = _with_ranges(samples.sums())
    ((offset, size),) = ranges.values()
    baked = bytearray(content)
    baked[offset : offset + size] = (samples.WEIGHTS + 1).tobytes()
    np.testing.assert_allclose(run(bytes(baked))[0], run(content)[0] + 1)


def test_constants_are_views_of_the_file() -> None:
    content = write(samples.sums())
    tensor = next(each for each in read(content).main.tensors if each.data is not None)
    assert tensor.data is not None
    assert not tensor.data.flags.owndata
    assert not tensor.data.flags.writeable


def test_variables_loops_and_branches_run() -> None:
    interpreter = Interpreter(model_content=write(read(write(samples.control_flow()))))
    train = interpreter.get_signature_runner("train")
    ones = np.ones((2, 3), np.float32)
    first = train(n=np.array([1], np.int32), x=ones)
    np.testing.assert_array_equal(first["steps"], [3])
    np.testing.assert_array_equal(first["out"], samples.WEIGHTS + 4)
    second = train(n=np.array([-1], np.int32), x=ones)
    np.testing.assert_array_equal(second["out"], -(samples.WEIGHTS + 4 + 16))


@pytest.mark.parametrize(
    ("build", "added"),
    [(samples.sparse, samples.SPARSE), (samples.int4, np.array([0.5, -1, 1.5]))],
    ids=["sparse", "int4"],
)
def test_packed_constants_have_their_values(build: Callable[[], Model], added: np.ndarray) -> None:
    model = build()
    x = model.main.inputs[0].shape
    expected = (np.random.default_rng(0).random(x) * 100).astype(np.float32) + added
    np.testing.assert_allclose(run(write(read(write(model))))[0], expected, rtol=1e-6)


def test_constants_after_the_flatbuffer_move_into_it() -> None:
    model = samples.sums()
    model.files = {}
    inside = write(model)
    record = decode_tables(inside)
    # The size of the tables does not depend on the offset of the constant: encode twice.
    payload = samples.WEIGHTS.tobytes()
    record["buffers"][1] = {"offset": 1 << 20, "size": len(payload)}
    position = -(-len(encode_tables(record)) // 16) * 16
    record["buffers"][1]["offset"] = position
    outside = encode_tables(record).ljust(position, b"\0") + payload
    np.testing.assert_array_equal(run(outside), run(inside))
    model = read(outside)
    content = write(model)
    np.testing.assert_array_equal(run(content), run(inside))
    assert all(each["offset"] == 0 for each in decode_tables(content)["buffers"])


def test_large_custom_options_move_into_the_flatbuffer() -> None:
    content = write(samples.rare_features())
    options = bytes(range(40))

    def move(record: dict[str, object], offset: int) -> None:
        op = record["subgraphs"][0]["operators"][0]  # type: ignore[index]
        op["customOptions"] = None
        op["largeCustomOptionsOffset"], op["largeCustomOptionsSize"] = offset, len(options)

    size = len(change_tables(content, lambda record: move(record, 1 << 20)))
    outside = change_tables(content, lambda record: move(record, size)) + options
    assert read(outside).main.ops[0].opaque["customOptions"] == options


def test_old_files_fill_only_the_old_field_for_operators() -> None:
    def age(record: dict[str, object]) -> None:
        for code in record["operatorCodes"]:  # type: ignore[attr-defined]
            code["builtinCode"] = 0

    model = samples.sparse()  # DENSIFY is 124, ADD 0
    assert [op.code for op in read(change_tables(write(model), age)).main.ops] == ["DENSIFY", "ADD"]


def test_operator_codes_are_written_once() -> None:
    reference = generated.ModelT.InitFromPackedBuf(write(samples.control_flow()))
    codes = [(each.builtinCode, each.version) for each in reference.operatorCodes]
    assert len(codes) == len(set(codes))
    new = [each for each in reference.operatorCodes if each.builtinCode > 127]
    assert new
    assert all(each.deprecatedBuiltinCode == 127 for each in new)


def test_other_tools_read_the_files_after_a_model(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(write(samples.sums()))
    command = [sys.executable, "-m", "zipfile", "-t", str(path)]
    assert (
        "Done testing" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
    assert read(path).files == {"labels.txt": b"a\nb\n", "empty.txt": b""}


def test_files_after_a_model_do_not_move_its_constants() -> None:
    model = samples.sums()
    with_files, ranges = _with_ranges(model)
    model.files = {}
    without, other_ranges = _with_ranges(model)
    assert list(ranges.values()) == list(other_ranges.values())
    files = {"labels.txt": b"a\nb\n", "empty.txt": b""}
    assert append_files(without, files) == with_files


def test_a_constant_with_the_signature_of_a_zip_is_not_a_zip() -> None:
    model = samples.sums()
    model.files = {}
    signature = np.frombuffer(b"PK\x05\x06" + bytes(18) + b"PK", np.uint8).view(np.int32)
    model.main.constant(signature, "signature")
    content = write(model)
    assert read(content).files == {}
    model.files = {"a": b"b"}
    assert read(write(model)).files == {"a": b"b"}


def test_the_differ_lists_every_difference() -> None:
    first, second = samples.sums(), samples.sums()
    second.description = "other"
    second.main.inputs[0].name = "renamed"
    tensor: Tensor = second.main.tensors[1]
    tensor.data = (samples.WEIGHTS * 2).view(np.uint8).reshape(-1)
    second.main.ops[1].options = {"fusedActivationFunction": 1}
    result = differences(first, second)
    assert [each.split(":")[0] for each in result] == [
        "model.description",
        "model.graphs[0].tensors[0].name",
        "model.graphs[0].tensors[1].data",
        "model.graphs[0].ops[1].options.fusedActivationFunction",
        "model.signatures[0].inputs[0]",
    ]


def _with_ranges(model: Model) -> tuple[bytes, dict[Tensor, tuple[int, int]]]:
    file = write_with_places(model)
    return file.content, file.ranges
