"""Files with invalid tables are refused with an error that names the table."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from flatbuffer_helpers import change_tables, decode_tables, encode_tables
from table_changes import (
    VALID,
    call,
    constant,
    graph,
    ints,
    nest_deeply,
    op,
    put,
    quantize,
    run_itself,
    signature,
    tensor,
    text,
    twice,
)

from sartor.errors import InvalidModelError
from sartor.flatbuffer import read
from sartor.flatbuffer.layout import Record

NAN = float("nan")

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
    "an excessive size": (put(constant, "shape", ints(*[2**31 - 1] * 8)), "at most 2147483647"),
    "many axes": (put(constant, "shape", ints(*[1] * 99)), "got 99 axes, expected at most 32"),
    "a constant's shape": (put(constant, "shape", ints(2, 4)), "of 24 bytes, expected 32 for 8"),
    "a constant's type": (put(constant, "type", 4), "expected 48 for 6 elements of INT64"),
    "a shape signature": (
        put(constant, "shapeSignature", ints(-1)),
        r"shape signature \[-1\], expected as many",
    ),
    "a variable with data": (put(constant, "isVariable", True), "is a variable with data"),
    "a string that is not UTF-8": (put(lambda r: r, "description", b"\xff"), "is not UTF-8"),
    "a scale of NaN": (
        quantize([NAN], [0]),
        "has a scale of nan, expected a positive number",
    ),
    "a negative scale": (quantize([-0.5], [0]), "has a scale of -0.5, expected"),
    "a scale of infinity": (quantize([float("inf")], [0]), "has a scale of inf, expected"),
    "a scale of zero": (quantize([0], [0]), r"has a scale of 0.0, expected .* at least 1.2e-38"),
    "a scale too small": (quantize([1e-40], [0]), "has a scale of 1e-40, expected a positive"),
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
    "an op before its inputs": (
        lambda r: graph(r)["operators"].reverse(),
        "op 1 LESS|before it has a value|output of an op before",
    ),
    "a tensor without a producer": (
        lambda r: graph(r)["operators"].pop(3),
        "reads .*'read'.* before it has a value",
    ),
    "a tensor with two producers": (
        twice(lambda r: graph(r)["operators"]),
        "IF returns .* already an output",
    ),
    "an op with one output twice": (
        put(lambda r: op(r, 1), "outputs", ints(2, 2)),
        "WHILE returns .* already an output",
    ),
    "an input with a producer": (
        put(lambda r: op(r, 4), "outputs", ints(1)),
        "input 'x' is an output of <ADD",
    ),
    "a constant with a producer": (
        put(lambda r: op(r, 0, 2), "outputs", ints(3)),
        "LESS returns .* which is a constant",
    ),
    "a variable with a producer": (
        put(lambda r: tensor(r, "total"), "isVariable", True),
        "ADD returns .* which is a constant or variable",
    ),
    "an input that is a constant": (
        put(lambda r: graph(r, 2), "inputs", ints(0, 1, 3)),
        "input 'constant' is a constant",
    ),
    "an output without a producer": (
        put(lambda r: graph(r, 4), "operators", None),
        "output 'neg' has no value",
    ),
    "a handle as the output of an op on numbers": (
        put(lambda r: tensor(r, "total"), "type", 13),
        "ADD returns <RESOURCE .*, expected numbers",
    ),
    "strings as the output of an op on numbers": (
        put(lambda r: tensor(r, "total"), "type", 5),
        "ADD returns <STRING .*, expected numbers",
    ),
    "a handle as an input of numbers": (
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
    "deeply nested calls": (nest_deeply, "nests 65 calls, expected at most 64"),
    "options of another op": (
        put(lambda r: op(r, 4), "builtinOptions", ("Conv2DOptions", {})),
        "ADD has options of type Conv2DOptions, expected AddOptions",
    ),
    "no options of an op that needs them": (
        put(lambda r: op(r, 0), "builtinOptions", None),
        "CALL_ONCE has options of type None, expected CallOnceOptions",
    ),
    "a fused activation": (
        put(lambda r: op(r, 4), "builtinOptions", ("AddOptions", {"fusedActivationFunction": 6})),
        "has the fused activation 6, expected a number below 6",
    ),
    "two tables of options": (
        put(lambda r: op(r, 4), "builtinOptions2", ("DilateOptions", {})),
        "both AddOptions and DilateOptions",
    ),
    "a signature's subgraph": (put(signature, "subgraphIndex", 9), "subgraph of signature 'train'"),
    "a signature's input": (
        put(lambda r: signature(r)["inputs"][0], "tensorIndex", 99),
        "'n' of signature 'train' is number 99",
    ),
    "a signature's input that is not an input": (
        put(lambda r: signature(r)["inputs"][0], "tensorIndex", 2),
        "as its input 'n', which is not an input",
    ),
    "a signature's output that is not an output": (
        put(lambda r: signature(r)["outputs"][0], "tensorIndex", 0),
        "as its output 'steps', which is not an output",
    ),
    "a signature without a key": (put(signature, "signatureKey", None), "has no key"),
    "an empty name": (
        put(lambda r: signature(r)["inputs"][0], "name", None),
        "inputs None, or one without a name",
    ),
    "a duplicate name": (twice(lambda r: signature(r)["inputs"]), "has two inputs 'x'"),
    "a duplicate key": (
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
    "a buffer after the end": (
        put(lambda r: r["buffers"], 1, {"offset": 10**6, "size": 24}),
        "a buffer is at bytes 1000000 to 1000024 of a file of",
    ),
    "a buffer of excessive size": (
        put(lambda r: r["buffers"], 1, {"offset": 2, "size": 2**64 - 1}),
        "a buffer is at bytes 2 to",
    ),
    "options after the end": (
        lambda r: op(r, 4).update(largeCustomOptionsOffset=10**6, largeCustomOptionsSize=9),
        "its options is at bytes 1000000",
    ),
    "strings shorter than their table": (text(bytes(8)), "does not describe 1 strings in 8 bytes"),
    "strings after the end": (text(struct.pack("<3i", 1, 12, 99)), "does not describe 1 strings"),
    "strings before it": (
        text(struct.pack("<3i", 1, -9, 12)),
        "does not describe 1 strings",
    ),
    "strings with a wrong count": (text(struct.pack("<3i", 7, 12, 12)), "does not describe 1"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_invalid_tables_are_refused(change: Callable[[Record], object], message: str) -> None:
    with pytest.raises(InvalidModelError, match=message):
        read(change_tables(VALID, change))


def test_decoded_tables_encode_to_a_valid_file() -> None:
    assert read(encode_tables(decode_tables(VALID))).signatures[0].key == "train"
