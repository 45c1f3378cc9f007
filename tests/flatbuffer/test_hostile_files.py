"""Files that are damaged, or made to do damage, are refused with words that help."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffer_samples as samples
import numpy as np
import pytest
from flatbuffer_helpers import MODELS, changed, decoded, encoded

from sartor.errors import InvalidModelError
from sartor.flatbuffer import append_files, read, write
from sartor.flatbuffer.encode import Encoder
from sartor.flatbuffer.layout import Record
from sartor.flatbuffer.schema import TFLITE

GOOD = write(samples.control_flow())
NAN = float("nan")


def tensor(record: Record, name: str) -> Record:
    """The first tensor of this name."""
    found = (each for graph in record["subgraphs"] for each in graph["tensors"])
    return next(each for each in found if each["name"] == name)


def constant(record: Record) -> Record:
    """The variable's initial value: float32 [2, 3]."""
    return tensor({"subgraphs": record["subgraphs"][1:]}, "constant")


def op(record: Record, index: int, graph: int = 0) -> Record:
    """An op: CALL_ONCE, WHILE, VAR_HANDLE, READ_VARIABLE, ADD, ASSIGN_VARIABLE, LESS, IF."""
    found: Record = record["subgraphs"][graph]["operators"][index]
    return found


def graph(record: Record, index: int = 0) -> Record:
    """A subgraph: main, init, cond, body, negate, keep."""
    found: Record = record["subgraphs"][index]
    return found


def signature(record: Record) -> Record:
    """The one signature."""
    found: Record = record["signatureDefs"][0]
    return found


def put(path: Callable[[Record], Any], key: Any, value: Any) -> Callable[[Record], None]:
    """Set one field of one table."""

    def change(record: Record) -> None:
        path(record)[key] = value

    return change


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def quantize(scale: list[float], zero: list[int], axis: int = 0) -> Callable[[Record], None]:
    record = {
        "scale": np.array(scale, np.float32),
        "zeroPoint": np.array(zero, np.int64),
        "quantizedDimension": axis,
    }
    return put(lambda root: tensor(root, "x"), "quantization", record)


def twice(path: Callable[[Record], list[Any]]) -> Callable[[Record], None]:
    """Repeat the last item of a list."""
    return lambda record: path(record).append(path(record)[-1])


def call(index: int, **options: int) -> Callable[[Record], None]:
    """Let an op run other subgraphs."""
    return lambda record: op(record, index)["builtinOptions"][1].update(options)


def run_itself(record: Record) -> None:
    body = graph(record, 3)
    body["operators"].append({**op(record, 1), "inputs": ints(0, 1), "outputs": ints(6, 7)})
    for name in "ab":
        body["tensors"].append({**tensor(record, "x"), "name": name})


def nest_deeply(record: Record) -> None:
    """A chain of subgraphs, each calling the next."""
    record["operatorCodes"].append({"builtinCode": 129, "deprecatedBuiltinCode": 127})
    first = len(record["subgraphs"])
    for index in range(100):
        options = "CallOnceOptions", {"initSubgraphIndex": first + index + 1}
        once = {"opcodeIndex": len(record["operatorCodes"]) - 1, "builtinOptions": options}
        record["subgraphs"].append({"tensors": [], "operators": [once]})
    record["subgraphs"].append({"tensors": [], "operators": []})


def text(data: bytes) -> Callable[[Record], None]:
    """Make the variable's initial value a string constant."""

    def change(record: Record) -> None:
        constant(record).update(type=5, shape=ints(1))
        record["buffers"][constant(record)["buffer"]] = {"data": data}

    return change


CHANGES: dict[str, tuple[Callable[[Record], object], str]] = {
    "a schema version": (put(lambda r: r, "version", 4), "schema version 4, expected 3"),
    "no subgraphs": (put(lambda r: r, "subgraphs", None), "has no subgraphs"),
    "an empty list of subgraphs": (put(lambda r: r, "subgraphs", []), "has no subgraphs"),
    "no buffers": (put(lambda r: r, "buffers", None), "has no buffers"),
    "no operator codes": (put(lambda r: r, "operatorCodes", None), "operator code is number 0"),
    "an operator code": (
        put(lambda r: r["operatorCodes"][0], "builtinCode", 9999),
        "operator code is number 9999",
    ),
    "the version of an op": (
        put(lambda r: r["operatorCodes"][1], "version", 0),
        "WHILE has version 0, expected 1 or more",
    ),
    "a custom op without a name": (
        lambda r: r["operatorCodes"][0].update(builtinCode=32, deprecatedBuiltinCode=32),
        "custom without a name",
    ),
    "the index of an operator code": (
        put(lambda r: op(r, 0), "opcodeIndex", 99),
        "its operator code is number 99",
    ),
    "an input of the graph": (
        put(graph, "inputs", ints(0, 999)),
        "subgraph 0: an input is number 999, expected a number below",
    ),
    "an output of the graph": (put(graph, "outputs", ints(-1)), "an output is number -1"),
    "an input of an op": (
        put(lambda r: op(r, 4), "inputs", ints(0, 999)),
        "subgraph 0: op 4: an input of ADD is number 999",
    ),
    "an output of an op": (
        put(lambda r: op(r, 4), "outputs", ints(-2)),
        "an output of ADD is number -2",
    ),
    "an intermediate": (
        put(lambda r: op(r, 4), "intermediates", ints(99)),
        "an intermediate of ADD is number 99",
    ),
    "a missing input": (
        put(lambda r: op(r, 4), "inputs", ints(0, -1)),
        "ADD does not have input 1, which is required",
    ),
    "too few inputs": (
        put(lambda r: op(r, 4), "inputs", ints(0)),
        "ADD has 1 inputs, expected at least 2",
    ),
    "too few outputs": (
        put(lambda r: op(r, 4), "outputs", None),
        "ADD has 0 outputs, expected at least 1",
    ),
    "a buffer": (put(constant, "buffer", 99), "its buffer is number 99"),
    "an element type": (put(constant, "type", 99), "element type 99"),
    "data in another file": (put(constant, "externalBuffer", 1), "are in another file"),
    "a negative size": (put(constant, "shape", ints(-2, -3)), r"has shape \[-2, -3\]"),
    "an absurd size": (put(constant, "shape", ints(*[2**31 - 1] * 8)), "at most 2147483647"),
    "many axes": (put(constant, "shape", ints(*[1] * 99)), "got 99 axes, expected at most 32"),
    "a constant's shape": (put(constant, "shape", ints(2, 4)), "of 24 bytes, expected 32 for 8"),
    "a constant's type": (put(constant, "type", 4), "expected 48 for 6 elements of INT64"),
    "a shape signature": (
        put(constant, "shapeSignature", ints(-1)),
        r"shape signature \[-1\], expected as many",
    ),
    "a variable with data": (put(constant, "isVariable", True), "is a variable with data"),
    "a string that is not UTF-8": (put(lambda r: r, "description", b"\xff"), "is not UTF-8"),
    "scale not a number": (quantize([NAN], [0]), "has a scale that is negative, infinite or not"),
    "a negative scale": (quantize([-0.5], [0]), "has a scale that is negative"),
    "a zero point beyond its type": (
        lambda r: tensor(r, "n").update(
            quantization={"scale": np.ones(1, np.float32), "zeroPoint": np.array([2**40])}
        ),
        "has a zero point beyond the values of INT32",
    ),
    "more scales than zero points": (quantize([1, 1], [0]), "has 2 scales and 1 zero points"),
    "scales that do not fit": (
        quantize([1, 1, 1], [0, 0, 0]),
        r"has 3 scales along axis 0 of shape \[2, 3\], expected one, or 2",
    ),
    "the quantized axis": (quantize([1], [0], 2), "along axis 2, expected one of its 2"),
    "a negative axis": (quantize([1], [0], -1), "along axis -1"),
    "the tensor of block-wise scales": (
        put(
            lambda r: tensor(r, "x"),
            "quantization",
            {"details": ("BlockwiseQuantization", {"scales": 77})},
        ),
        "a tensor of block-wise scales is number 77",
    ),
    "an op before what it reads": (
        lambda r: graph(r)["operators"].reverse(),
        "op 1 LESS|before it has a value|output of an op before",
    ),
    "a tensor that nothing makes": (
        lambda r: graph(r)["operators"].pop(3),
        "reads .*'read'.* before it has a value",
    ),
    "a tensor of two ops": (
        twice(lambda r: graph(r)["operators"]),
        "IF returns .* already an output",
    ),
    "an op with one output twice": (
        put(lambda r: op(r, 1), "outputs", ints(2, 2)),
        "WHILE returns .* already an output",
    ),
    "an input that an op makes": (
        put(lambda r: op(r, 4), "outputs", ints(1)),
        "input 'x' is an output of <ADD",
    ),
    "a constant that an op makes": (
        put(lambda r: op(r, 0, 2), "outputs", ints(3)),
        "LESS returns .* which is a constant",
    ),
    "a variable that an op makes": (
        put(lambda r: tensor(r, "total"), "isVariable", True),
        "ADD returns .* which is a constant or variable",
    ),
    "an input that is a constant": (
        put(lambda r: graph(r, 2), "inputs", ints(0, 1, 3)),
        "input 'constant' is a constant",
    ),
    "an output that nothing makes": (
        put(lambda r: graph(r, 4), "operators", None),
        "output 'neg' has no value",
    ),
    "numbers where a handle is kept": (
        put(lambda r: tensor(r, "total"), "type", 13),
        "ADD returns <RESOURCE .*, expected numbers",
    ),
    "numbers where strings are kept": (
        put(lambda r: tensor(r, "total"), "type", 5),
        "ADD returns <STRING .*, expected numbers",
    ),
    "a handle where numbers are taken": (
        put(lambda r: op(r, 5), "inputs", ints(4, 4)),
        "ASSIGN_VARIABLE takes <RESOURCE .*, expected numbers",
    ),
    "a variable's size": (
        lambda r: [tensor(r, name).update(shape=ints(4, 3)) for name in ("read", "total")],
        r"FLOAT32 \[2, 3\] for the variable 'w', and subgraph 0 'main' states FLOAT32 \[4, 3\]",
    ),
    "a variable's type": (
        put(lambda r: tensor(r, "read"), "type", 2),
        "states FLOAT32 .* for the variable 'w', and .* states INT32",
    ),
    "a subgraph to run": (call(1, bodySubgraphIndex=99), "a subgraph it runs is number 99"),
    "a negative subgraph to run": (call(7, elseSubgraphIndex=-1), "it runs is number -1"),
    "a subgraph that runs itself": (run_itself, "runs itself, through subgraph 3"),
    "the main subgraph run by itself": (call(7, thenSubgraphIndex=0), "subgraph 0 'main' runs"),
    "calls nested deeply": (nest_deeply, "nests 65 calls, expected at most 64"),
    "two kinds of options": (
        put(lambda r: op(r, 4), "builtinOptions2", ("DilateOptions", {})),
        "both AddOptions and DilateOptions",
    ),
    "a signature's subgraph": (put(signature, "subgraphIndex", 9), "subgraph of signature 'train'"),
    "a signature's input": (
        put(lambda r: signature(r)["inputs"][0], "tensorIndex", 99),
        "'n' of signature 'train' is number 99",
    ),
    "a signature's input that is none": (
        put(lambda r: signature(r)["inputs"][0], "tensorIndex", 2),
        "as its input 'n', which is not an input",
    ),
    "a signature's output that is none": (
        put(lambda r: signature(r)["outputs"][0], "tensorIndex", 0),
        "as its output 'steps', which is not an output",
    ),
    "a signature without a key": (put(signature, "signatureKey", None), "has no key"),
    "a name without letters": (
        put(lambda r: signature(r)["inputs"][0], "name", None),
        "inputs None, or one without a name",
    ),
    "a name there twice": (twice(lambda r: signature(r)["inputs"]), "has two inputs 'x'"),
    "a key there twice": (
        twice(lambda r: r["signatureDefs"]),
        "signature 'train' is in the model twice",
    ),
    "metadata without a name": (
        put(lambda r: r, "metadata", [{"buffer": 0}]),
        "a metadata entry has no name",
    ),
    "the buffer of metadata": (
        put(lambda r: r, "metadata", [{"name": "a", "buffer": 99}]),
        "the buffer of metadata is number 99",
    ),
    "the old list of metadata": (put(lambda r: r, "metadataBuffer", ints(99)), "is number 99"),
    "a buffer behind the end": (
        put(lambda r: r["buffers"], 1, {"offset": 10**6, "size": 24}),
        "a buffer is at bytes 1000000 to 1000024 of a file of",
    ),
    "a buffer of absurd size": (
        put(lambda r: r["buffers"], 1, {"offset": 2, "size": 2**64 - 1}),
        "a buffer is at bytes 2 to",
    ),
    "options behind the end": (
        lambda r: op(r, 4).update(largeCustomOptionsOffset=10**6, largeCustomOptionsSize=9),
        "its options is at bytes 1000000",
    ),
    "text shorter than its table": (text(bytes(8)), "does not describe 1 strings in 8 bytes"),
    "text without end": (text(struct.pack("<3i", 1, 12, 99)), "does not describe 1 strings"),
    "text from nowhere": (text(struct.pack("<3i", 1, -9, 12)), "does not describe 1 strings"),
    "text that counts wrongly": (text(struct.pack("<3i", 7, 12, 12)), "does not describe 1"),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_what_a_file_must_not_say(change: Callable[[Record], object], words: str) -> None:
    with pytest.raises(InvalidModelError, match=words):
        read(changed(GOOD, change))


def level(index: int, key: str, value: object) -> Callable[[Record], None]:
    """Change one axis of the sparse constant."""
    return put(lambda r: tensor(r, "weights")["sparsity"]["dimMetadata"][index], key, value)


def indices(*values: int) -> tuple[str, Record]:
    return "Uint8Vector", {"values": np.array(values, np.uint8)}


SPARSITY = {
    "an axis passed twice": (
        put(lambda r: tensor(r, "weights")["sparsity"], "traversalOrder", ints(0, 0, 2)),
        "3 axes, each once",
    ),
    "an axis left out": (
        lambda r: tensor(r, "weights")["sparsity"]["dimMetadata"].pop(),
        "3 axes, each once, and as much about each",
    ),
    "blocks of an axis that is not there": (
        put(lambda r: tensor(r, "weights")["sparsity"], "blockMap", ints(5)),
        "blocks of different axes of the 2",
    ),
    "blocks that do not divide": (level(2, "denseSize", 3), "blocks that divide the 4 slices"),
    "a dense axis": (level(0, "denseSize", 9), "3 slices along axis 0"),
    "a format": (level(0, "format", 7), "dense or compressed"),
    "no indices": (level(1, "arrayIndices", None), "segments and indices for each"),
    "too few segments": (level(1, "arraySegments", indices(0, 3)), "4 segments, from 0 up to 3"),
    "segments that shrink": (level(1, "arraySegments", indices(0, 2, 1, 3)), "4 segments"),
    "segments too long": (level(1, "arraySegments", indices(0, 2, 2, 9)), "4 segments"),
    "an index too large": (level(1, "arrayIndices", indices(0, 2, 0)), "indices below 2"),
    "values left out": (
        lambda r: (
            level(1, "arraySegments", indices(0, 2, 2, 2))(r)
            or level(1, "arrayIndices", indices(0, 1))(r)
        ),
        "of 24 bytes, expected 16 for 4 elements",
    ),
}


@pytest.mark.parametrize(("change", "words"), SPARSITY.values(), ids=SPARSITY)
def test_what_a_sparse_constant_must_not_say(
    change: Callable[[Record], object], words: str
) -> None:
    with pytest.raises(InvalidModelError, match=words):
        read(changed(write(samples.sparse()), change))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "got 0 bytes with b'' at byte 4, expected b'TFL3' there"),
        (b"TFL3", "got 4 bytes"),
        (b"\0\0\0\0TFL3", "the offset of Model is 0"),
        (b"\x08\0\0\0TFL3", "Model takes 4 bytes from byte 8 on"),
        (b"\xff\xff\xff\xffTFL3", "the offset of Model is 4294967295"),
        (b"\x08\0\0\0TFL3" + bytes(8), "the vtable of Model has 0 bytes"),
        (b"\x0a\0\0\0TFL3" + bytes(8), "expected a multiple of 4"),
        (GOOD[:4] + b"XXXX" + GOOD[8:], "b'XXXX' at byte 4"),
        (bytes(1000), "at byte 4, expected b'TFL3'"),
        (b"<!DOCTYPE html><html>", "b'CTYP' at byte 4"),
    ],
)
def test_what_is_no_model(content: bytes, words: str) -> None:
    with pytest.raises(InvalidModelError, match=words):
        read(content)


def test_what_is_no_file(tmp_path: Path) -> None:
    missing = tmp_path / "missing.tflite"
    with pytest.raises(InvalidModelError, match=r"missing\.tflite is not there, expected a file"):
        read(missing)
    with pytest.raises(InvalidModelError, match="is a directory, expected a file"):
        read(str(tmp_path))
    with pytest.raises(InvalidModelError, match=r"cannot be read|is not there"):
        read("a\0b")
    empty = tmp_path / "empty.tflite"
    empty.touch()
    with pytest.raises(InvalidModelError, match=r"empty\.tflite: got 0 bytes"):
        read(empty)


def test_a_file_larger_than_a_flatbuffer_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    with path.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(InvalidModelError, match="expected fewer than 2 GiB"):
        read(path)


@pytest.mark.parametrize("build", [samples.sums, samples.control_flow], ids=lambda b: b.__name__)
def test_a_file_that_was_cut_short(build: Callable[[], Any]) -> None:
    content = write(build())
    whole = read(content)
    for length in [*range(0, len(content), 7), *range(len(content) - 40, len(content))]:
        try:
            model = read(content[:length])
        except InvalidModelError:
            continue
        # Only what is behind the whole model may be missing, and not a part of it.
        assert length == len(content) - len(append_files(b"", whole.files))
        assert model.files == {}


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_real_file_that_was_cut_short(path: Path) -> None:
    content = path.read_bytes()
    for missing in (1, 2, 3, 8, 100, 5000, len(content) // 2, len(content) - 20):
        with pytest.raises(InvalidModelError):
            read(content[:-missing])


def bomb(encoder: Encoder, **fields: object) -> bytes:
    """A file of tables that are written already."""
    record: Record = {"version": 3, "buffers": [{}], **fields}
    return encoder.finish(encoder.table("Model", record), b"TFL3")


def shared_tensors(encoder: Encoder) -> bytes:
    """Half a megabyte that unfolds to a hundred million tensors."""
    tensor = encoder.table("Tensor", {"shape": ints(1)})
    graph = encoder.table("SubGraph", {"tensors": [tensor] * 1000})
    return bomb(encoder, subgraphs=[graph] * 100_000)


def shared_names(encoder: Encoder) -> bytes:
    """A long name that many tensors share."""
    tensor = encoder.table("Tensor", {"name": "n" * 100_000})
    return bomb(encoder, subgraphs=[{"tensors": [tensor] * 10_000}])


def shared_inputs(encoder: Encoder) -> bytes:
    """A long list of inputs that many ops share."""
    tensor = encoder.table("Tensor", {})
    ops = [encoder.table("Operator", {"inputs": np.zeros(100_000, np.int32)})] * 10_000
    return bomb(encoder, subgraphs=[{"tensors": [tensor], "operators": ops}])


def shared_metadata(encoder: Encoder) -> bytes:
    """A large buffer that many entries of metadata share."""
    buffer = encoder.table("Buffer", {"data": bytes(1_000_000)})
    entries = [{"name": str(index), "buffer": 0} for index in range(10_000)]
    return bomb(encoder, subgraphs=[{}], buffers=[buffer], metadata=entries)


@pytest.mark.parametrize(
    "build",
    [shared_tensors, shared_names, shared_inputs, shared_metadata],
    ids=lambda build: build.__name__,
)
def test_a_small_file_does_not_unfold_to_a_large_one(build: Callable[[Encoder], bytes]) -> None:
    content = build(Encoder(TFLITE))
    tracemalloc.start()
    with pytest.raises(InvalidModelError, match="expected less sharing"):
        read(content)
    assert tracemalloc.get_traced_memory()[1] < 300 * len(content)
    tracemalloc.stop()


def with_zip(build: Callable[[zipfile.ZipFile], None]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        build(archive)
    return GOOD + stream.getvalue()


def zeros(archive: zipfile.ZipFile) -> None:
    archive.writestr("zeros", bytes(100 << 20), zipfile.ZIP_DEFLATED)


def odd_method(archive: zipfile.ZipFile) -> None:
    archive.writestr("a", b"b" * 100, zipfile.ZIP_BZIP2)


def test_a_zip_that_unfolds_to_too_much_is_refused() -> None:
    with pytest.raises(InvalidModelError, match="unpack to 104857600 bytes, expected at most"):
        read(with_zip(zeros))


def test_a_zip_of_another_method_is_refused() -> None:
    with pytest.raises(InvalidModelError, match="method 12, expected stored or deflated"):
        read(with_zip(odd_method))


def test_an_encrypted_zip_is_refused() -> None:
    content = bytearray(append_files(GOOD, {"a": b"b"}))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidModelError, match="is encrypted"):
        read(bytes(content))


def test_a_damaged_zip_is_refused() -> None:
    content = bytearray(append_files(GOOD, {"labels.txt": b"cat\ndog\n"}))
    content[content.rindex(b"cat")] ^= 1
    with pytest.raises(InvalidModelError, match="the files after the model: Bad CRC-32"):
        read(bytes(content))


def test_a_zip_that_lost_its_end_is_refused() -> None:
    content = append_files(GOOD, {"labels.txt": b"cat\ndog\n"})
    with pytest.raises(InvalidModelError, match="the files after the model are cut off"):
        read(content[:-30])


def test_a_zip_that_reaches_into_the_model_is_refused() -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a", b"b")
    start = inner.getvalue().index(b"PK\x01\x02")
    entry, directory = inner.getvalue()[:start], inner.getvalue()[start:]
    entry = entry.ljust(-(-start // 4) * 4, b"\0")
    model = samples.sums()
    model.files = {}
    model.main.constant(np.frombuffer(entry, np.uint8), "entry")
    content = write(model)
    place = content.index(entry)
    patched = bytearray(directory)
    struct.pack_into("<I", patched, 42, place)
    end = bytes(patched).index(b"PK\x05\x06")
    struct.pack_into("<I", patched, end + 16, len(content))
    with pytest.raises(InvalidModelError, match="'a' starts within the flatbuffer"):
        read(content + bytes(patched))


def test_what_stands_behind_a_model_and_is_no_zip_is_ignored() -> None:
    assert read(GOOD + bytes(100)).files == {}
    assert read(GOOD + b"signed by nobody, for what it is worth").files == {}


def flipped(content: bytes, seed: int) -> bytes:
    """The file with a few bytes changed, most of them where its tables are."""
    chance = random.Random(seed)
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 3))):
        place = chance.randrange(8, len(damaged) if chance.random() < 0.1 else 8000)
        damaged[place] = chance.choice((damaged[place] ^ (1 << chance.randrange(8)), 0, 1, 255))
    return bytes(damaged)


BASES = [GOOD.ljust(8000, b"\0"), *(write(read(path)) for path in MODELS if "kws" in path.name)]


@pytest.mark.parametrize("base", BASES, ids=lambda base: f"{len(base)} bytes")
def test_flipped_bits_are_refused_or_make_a_model(base: bytes) -> None:
    refused = 0
    for seed in range(300):
        try:
            model = read(flipped(base, seed))
        except InvalidModelError:
            refused += 1
            continue
        write(model)
    assert 30 < refused < 270


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
def test_what_is_read_does_not_crash_the_runtime(tmp_path: Path) -> None:
    paths = []
    for seed in range(300):
        content = flipped(BASES[1], seed)
        try:
            model = read(content)
        except InvalidModelError:
            continue
        if all(tensor.size < 10**7 for tensor in model.main.tensors):
            paths.append(tmp_path / f"{seed}.tflite")
            paths[-1].write_bytes(content)
    assert len(paths) > 30
    command = [sys.executable, "-c", RUN, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"crashed at {done.stdout.splitlines()[-1]}"


def test_the_tables_can_be_taken_apart_and_put_together() -> None:
    assert read(encoded(decoded(GOOD))).signatures[0].key == "train"
