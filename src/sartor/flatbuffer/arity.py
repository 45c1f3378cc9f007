"""How many inputs and outputs an op has at least, and which inputs may be left out.

Several kernels, and the delegate that LiteRT puts before them, take an input before they look
whether it is there. Ops of the schema without a row take one input and make one output.
"""

from __future__ import annotations

from ..graph import DType, Op

__all__ = ["lacks"]

_OUTPUTS: dict[int, str] = {
    0: "ASSIGN_VARIABLE CALL CALL_ONCE CUSTOM DELEGATE HASHTABLE_IMPORT IF STABLEHLO_CASE "
    "STABLEHLO_COMPOSITE STABLEHLO_CUSTOM_CALL STABLEHLO_WHILE WHILE",
    2: "HASHTABLE_LOOKUP NON_MAX_SUPPRESSION_V4 STABLEHLO_RNG_BIT_GENERATOR TOPK_V2 UNIQUE",
    3: "NON_MAX_SUPPRESSION_V5",
}
_INPUTS: dict[int, str] = {
    0: "CALL CALL_ONCE CUSTOM DELEGATE HASHTABLE STABLEHLO_COMPOSITE STABLEHLO_CUSTOM_CALL "
    "STABLEHLO_IOTA STABLEHLO_WHILE VAR_HANDLE WHILE",
    2: "ADD ARG_MAX ARG_MIN ASSIGN_VARIABLE ATAN2 BATCH_MATMUL BITWISE_XOR BROADCAST_ARGS "
    "BROADCAST_TO CONV_3D CUMSUM DIV EMBEDDING_LOOKUP EQUAL EXPAND_DIMS FILL FLOOR_DIV "
    "FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL LESS LESS_EQUAL "
    "LOGICAL_AND LOGICAL_OR LSH_PROJECTION MATRIX_SET_DIAG MAXIMUM MEAN MINIMUM MIRROR_PAD "
    "MUL MULTINOMIAL NOT_EQUAL PAD POW PRELU REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN "
    "REDUCE_PROD RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_SEQUENCE REVERSE_V2 RFFT2D "
    "RIGHT_SHIFT SEGMENT_SUM SPLIT SQUARED_DIFFERENCE STABLEHLO_ADD STABLEHLO_AND "
    "STABLEHLO_COMPARE STABLEHLO_CONVOLUTION STABLEHLO_DIVIDE STABLEHLO_DOT_GENERAL "
    "STABLEHLO_DYNAMIC_SLICE STABLEHLO_GATHER STABLEHLO_MAXIMUM STABLEHLO_MINIMUM "
    "STABLEHLO_MULTIPLY STABLEHLO_OR STABLEHLO_PAD STABLEHLO_POWER STABLEHLO_REDUCE "
    "STABLEHLO_REDUCE_WINDOW STABLEHLO_REMAINDER STABLEHLO_SHIFT_LEFT STABLEHLO_SUBTRACT SUB "
    "SUM TILE TOPK_V2 TRANSPOSE",
    3: "BATCH_TO_SPACE_ND CONV_2D CONV_3D_TRANSPOSE DEPTHWISE_CONV_2D DILATE "
    "DYNAMIC_UPDATE_SLICE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_LOOKUP PADV2 RANGE "
    "SCATTER_ND SELECT SELECT_V2 SLICE SPACE_TO_BATCH_ND SPLIT_V STABLEHLO_CLAMP "
    "STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_SCATTER STABLEHLO_SELECT TRANSPOSE_CONV "
    "UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_MIN UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_SUM",
    4: "ONE_HOT SPARSE_TO_DENSE STRIDED_SLICE SVDF",
    5: "EMBEDDING_LOOKUP_SPARSE LSTM NON_MAX_SUPPRESSION_V4 REDUCE_WINDOW RNN "
    "UNIDIRECTIONAL_SEQUENCE_RNN",
    6: "NON_MAX_SUPPRESSION_V5",
    9: "BIDIRECTIONAL_SEQUENCE_RNN",
    20: "UNIDIRECTIONAL_SEQUENCE_LSTM",
    39: "BIDIRECTIONAL_SEQUENCE_LSTM",
}
_LEAST_OUTPUTS = {code: count for count, codes in _OUTPUTS.items() for code in codes.split()}
_LEAST_INPUTS = {code: count for count, codes in _INPUTS.items() for code in codes.split()}

_FIRST_OPTIONAL = {
    "BIDIRECTIONAL_SEQUENCE_LSTM": 1,
    "BIDIRECTIONAL_SEQUENCE_RNN": 1,
    "CONV_2D": 2,
    "CONV_3D": 2,
    "CONV_3D_TRANSPOSE": 3,
    "CUSTOM": 0,
    "DELEGATE": 0,
    "DEPTHWISE_CONV_2D": 2,
    "FULLY_CONNECTED": 2,
    "LSTM": 1,
    "STABLEHLO_CUSTOM_CALL": 0,
    "SVDF": 3,
    "TRANSPOSE_CONV": 3,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 1,
}
"""The first input that may be left out; of all other ops, none."""

_OUTPUT_COUNTS = {"SPLIT": "numSplits", "SPLIT_V": "numSplits", "UNPACK": "num"}
"""The option that tells how many outputs there are."""

_HANDLES = (DType.RESOURCE, DType.VARIANT)
_ANY_TYPE = {
    "CALL",
    "CUSTOM",
    "DELEGATE",
    "HASHTABLE",
    "IF",
    "STABLEHLO_CASE",
    "STABLEHLO_COMPOSITE",
    "STABLEHLO_CUSTOM_CALL",
    "STABLEHLO_WHILE",
    "VAR_HANDLE",
    "WHILE",
}
_MAKE_STRINGS = {"HASHTABLE_FIND", "HASHTABLE_LOOKUP", "READ_VARIABLE"}
_TAKE_A_HANDLE = {
    "ASSIGN_VARIABLE",
    "HASHTABLE_FIND",
    "HASHTABLE_IMPORT",
    "HASHTABLE_SIZE",
    "READ_VARIABLE",
}
"""The ops whose first input is a handle; no other input is."""


def lacks(op: Op) -> str | None:
    """What an op lacks, as `got 1 inputs, expected at least 2`; None when it lacks nothing."""
    least = _LEAST_INPUTS.get(op.code, 1)
    if len(op.inputs) < least:
        return f"has {len(op.inputs)} inputs, expected at least {least}"
    least = _LEAST_OUTPUTS.get(op.code, 1)
    if len(op.outputs) < least:
        return f"has {len(op.outputs)} outputs, expected at least {least}"
    option = _OUTPUT_COUNTS.get(op.code)
    if option is not None and op.options.get(option, 0) != len(op.outputs):
        return f"has {len(op.outputs)} outputs, expected {op.options.get(option, 0)} ({option})"
    optional = _FIRST_OPTIONAL.get(op.code, len(op.inputs))
    for index, tensor in enumerate(op.inputs[:optional]):
        if tensor is None:
            return f"has no input {index}, which it needs"
    return _wrong_type(op) or _wrong_shape(op)


def _wrong_type(op: Op) -> str | None:
    """Kernels take handles and strings for numbers, where they expect numbers."""
    if op.code in _ANY_TYPE:
        return None
    for tensor in op.inputs[op.code in _TAKE_A_HANDLE :]:
        if tensor is not None and tensor.dtype in _HANDLES:
            return f"takes {tensor!r}, expected numbers"
    types = {tensor.dtype for tensor in op.inputs if tensor is not None}
    for tensor in op.outputs:
        strings = op.code in _MAKE_STRINGS or DType.STRING in types
        if tensor.dtype in _HANDLES or (tensor.dtype is DType.STRING and not strings):
            return f"makes {tensor!r}, expected numbers"
    return None


def _wrong_shape(op: Op) -> str | None:
    """LOG_SOFTMAX goes along the last axis before it looks whether there is one."""
    if op.code != "LOG_SOFTMAX" or (op.input(0).rank and op.input(0).shape[-1]):
        return None
    return f"takes {op.input(0)!r}, expected elements along a last axis"
