"""Small models with properties that the real models lack."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np

from sartor.graph import DType, Graph, Model, Op, Quantization, Signature, Tensor

WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)
SPARSE = np.array([[1, 0, 0, 2], [0, 0, 0, 0], [0, 3, 0, 0]], np.float32)


def model_of(graph: Graph, *more: Graph) -> Model:
    model = Model()
    model.graphs = [graph, *more]
    return model


def sums() -> Model:
    """Return a model that adds two equal constants, one of them exclusive, to its input."""
    graph = Graph("main")
    x = graph.input("x", (2, 3))
    first = graph.constant(WEIGHTS, "first")
    second = graph.constant(WEIGHTS, "second", exclusive=True)
    y, z = (graph.tensor(name, DType.FLOAT32, (2, 3)) for name in "yz")
    graph.add(Op("ADD", (x, first), (y,), options_type="AddOptions"))
    graph.add(Op("ADD", (y, second), (z,), options_type="AddOptions"))
    graph.outputs = [z]
    model = model_of(graph)
    model.description = "sums"
    model.signatures = [Signature("infer", graph, {"x": x}, {"z": z})]
    model.metadata = {"first": b"one", "empty": b""}
    model.files = {"labels.txt": b"a\nb\n", "empty.txt": b""}
    return model


def control_flow() -> Model:
    """Return a model that doubles x until n is 3, adds a variable and stores the sum in it."""
    main, init, cond, body, negate, keep = (
        Graph(name) for name in ("main", "init", "cond", "body", "negate", "keep")
    )
    handle = _handle(init)
    value = init.constant(WEIGHTS, exclusive=True)
    init.add(Op("ASSIGN_VARIABLE", (handle, value), (), options_type="AssignVariableOptions"))

    run_once = {"initSubgraphIndex": init}
    main.add(Op("CALL_ONCE", (), (), options=run_once, options_type="CallOnceOptions"))
    n, x = _counter_and_value(main)
    steps, doubled = main.tensor("steps", DType.INT32, (1,)), main.tensor("x2", x.dtype, x.shape)
    loop = {"condSubgraphIndex": cond, "bodySubgraphIndex": body}
    main.add(Op("WHILE", (n, x), (steps, doubled), options=loop, options_type="WhileOptions"))
    handle = _handle(main)
    read, total = (main.tensor(name, DType.FLOAT32, (2, 3)) for name in ("read", "total"))
    main.add(Op("READ_VARIABLE", (handle,), (read,), options_type="ReadVariableOptions"))
    main.add(Op("ADD", (doubled, read), (total,), options_type="AddOptions"))
    main.add(Op("ASSIGN_VARIABLE", (handle, total), (), options_type="AssignVariableOptions"))
    below, out = main.tensor("below", DType.BOOL, (1,)), main.tensor("out", x.dtype, x.shape)
    zero = main.constant(np.zeros(1, np.int32))
    main.add(Op("LESS", (n, zero), (below,), options_type="LessOptions"))
    branches = {"thenSubgraphIndex": negate, "elseSubgraphIndex": keep}
    main.add(Op("IF", (below, total), (out,), options=branches, options_type="IfOptions"))
    main.outputs = [steps, out]

    n, _ = _counter_and_value(cond)
    less = cond.tensor("less", DType.BOOL, (1,))
    three = cond.constant(np.full(1, 3, np.int32))
    cond.add(Op("LESS", (n, three), (less,), options_type="LessOptions"))
    cond.outputs = [less]

    n, x = _counter_and_value(body)
    body.outputs = [
        _apply(body, "ADD", "AddOptions", n, body.constant(np.ones(1, np.int32))),
        _apply(body, "MUL", "MulOptions", x, body.constant(np.full(1, 2, np.float32))),
    ]
    negate.outputs = [_apply(negate, "NEG", "NegOptions", negate.input("x", (2, 3)))]
    keep.outputs = [_apply(keep, "ABS", "AbsOptions", keep.input("x", (2, 3)))]

    model = model_of(main, init, cond, body, negate, keep)
    inputs = {"n": main.inputs[0], "x": main.inputs[1]}
    model.signatures = [Signature("train", main, inputs, {"steps": steps, "out": out})]
    return model


def sparse() -> Model:
    """Return a model that adds a sparse constant, in blocks of two columns, to its input."""
    graph = Graph("main")
    x = graph.input("x", SPARSE.shape)
    weights = graph.tensor("weights", DType.FLOAT32, SPARSE.shape)
    weights.data = np.array([1, 0, 0, 2, 0, 3], np.float32).view(np.uint8)
    indices = {"arraySegments": (0, 2, 2, 3), "arrayIndices": (0, 1, 0)}
    weights.sparsity = {
        "traversalOrder": np.array([0, 1, 2], np.int32),
        "blockMap": np.array([1], np.int32),
        "dimMetadata": [
            _level(0, 3),
            {"format": 1, "denseSize": 0}
            | {
                name: ("Uint8Vector", {"values": np.array(values, np.uint8)})
                for name, values in indices.items()
            },
            _level(0, 2),
        ],
    }
    dense = _apply(graph, "DENSIFY", "DensifyOptions", weights)
    graph.outputs = [_apply(graph, "ADD", "AddOptions", x, dense)]
    return model_of(graph)


def int4() -> Model:
    """Return a model that adds the int4 constant [1, −2, 3] of scale 0.5 to its input."""
    graph = Graph("main")
    x = graph.input("x", (3,))
    packed = graph.tensor("packed", DType.INT4, (3,))
    packed.data = np.array([0x1 | 0xE << 4, 0x3], np.uint8)
    scale, zero = np.array([0.5], np.float32), np.array([0], np.int64)
    packed.quantization = Quantization(scale, zero)
    real = graph.tensor("real", DType.FLOAT32, (3,))
    graph.add(Op("DEQUANTIZE", (packed,), (real,), options_type="DequantizeOptions"))
    graph.outputs = [_apply(graph, "ADD", "AddOptions", x, real)]
    return model_of(graph)


def rare_features() -> Model:
    """Return a model with features that are rare and that no stock runtime runs."""
    main, composed = Graph("main"), Graph("composed")
    x = main.input("x", (4, 2))
    x.shape_signature, x.has_rank = (-1, 2), True
    state = main.tensor("state", DType.FLOAT32, (4, 2))
    state.is_variable = True
    scratch = main.tensor("scratch", DType.INT16, (1,))
    custom_output = main.tensor("custom", DType.FLOAT32, (4, 2))
    custom = Op("CUSTOM", (x, None, state), (custom_output,), custom_code="Mine", version=3)
    custom.intermediates = (scratch,)
    custom.opaque = {
        "customOptions": bytes(range(40)),
        "mutatingVariableInputs": [False, False, True],
        "debugMetadataIndex": 7,
    }
    main.add(custom)
    attributes = {
        "name": "sartor.compose",
        "decompositionSubgraphIndex": composed,
        "compositeAttributes": b"\x00\x01\x02",
        "version": 2,
    }
    result = _apply(
        main, "STABLEHLO_COMPOSITE", "StableHLOCompositeOptions", custom_output, options=attributes
    )
    cases = {"branchSubgraphIndices": [composed, composed]}
    main.outputs = [_apply(main, "STABLEHLO_CASE", "StablehloCaseOptions", result, options=cases)]
    main.opaque["debugMetadataIndex"] = 5
    _blockwise(main)
    strings = [b"", b"\xc3\xa4", b"zz"]
    starts = np.cumsum([4 * (len(strings) + 2)] + [len(word) for word in strings])
    text = struct.pack("<5i", len(strings), *starts) + b"".join(strings)
    main.tensor("words", DType.STRING, (3,)).data = np.frombuffer(text, np.uint8)
    handle = main.tensor("list", DType.VARIANT, ())
    handle.variants = [{"shape": np.array([2, 2], np.int32), "type": 9, "hasRank": True}]

    composed.outputs = [_apply(composed, "NEG", "NegOptions", composed.input("x", (4, 2)))]
    model = model_of(main, composed)
    model.opaque = {"metadataBuffer": [b"old", b"fashioned"]}
    return model


def _blockwise(graph: Graph) -> None:
    scales = graph.constant(np.ones((4, 1), np.float16), "scales")
    no_parameters = np.zeros(0, np.float32), np.zeros(0, np.int64)
    blocks = {"scales": scales, "zeroPoints": None, "blockSize": 2}
    weights = graph.constant(np.zeros((4, 2), np.int8), "blocks")
    weights.quantization = Quantization(*no_parameters, details=("BlockwiseQuantization", blocks))
    other = graph.constant(np.ones((4, 2), np.int8), "other")
    scheme = "CustomQuantization", {"custom": np.arange(5, dtype=np.uint8)}
    other.quantization = Quantization(
        np.array([1, 2], np.float32),
        np.array([3, -4], np.int64),
        1,
        np.array([-1], np.float32),
        np.array([1], np.float32),
        scheme,
    )


def _level(kind: int, size: int) -> dict[str, object]:
    return {"format": kind, "denseSize": size, "arraySegments": None, "arrayIndices": None}


def _handle(graph: Graph) -> Tensor:
    handle = graph.tensor("handle", DType.RESOURCE, (1,))
    options = {"container": "", "sharedName": "w"}
    graph.add(Op("VAR_HANDLE", (), (handle,), options=options, options_type="VarHandleOptions"))
    return handle


def _counter_and_value(graph: Graph) -> tuple[Tensor, Tensor]:
    return graph.input("n", (1,), DType.INT32), graph.input("x", (2, 3))


def _apply(
    graph: Graph,
    code: str,
    options_type: str,
    *inputs: Tensor,
    options: Mapping[str, object] | None = None,
) -> Tensor:
    output = graph.tensor(code.lower(), inputs[0].dtype, inputs[0].shape)
    graph.add(Op(code, inputs, (output,), options=options, options_type=options_type))
    return output
