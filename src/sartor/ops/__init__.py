"""The TFLite ops by family: one row for each op, and functions that emit ops."""

# The families without functions are imported for their rows.
from . import (  # noqa: F401
    blocks,
    control,
    convolution,
    lookup,
    padding,
    pooling,
    recurrent,
    resizing,
    signal,
    stablehlo,
)
from .activations import logistic, relu, tanh
from .arithmetic import add, div, maximum, minimum, mul, pow_, sub
from .builder import Operand, can_emit, emit, emit_any_batch, emit_many, infer_outputs
from .computed_shapes import constant_output, fold_shapes
from .contraction import fully_connected, linear, matmul
from .gradient import input_gradient, output_gradient
from .joins import concatenation
from .logic import greater, select
from .normalization import (
    l2_normalization,
    log_softmax,
    power_normalization,
    power_normalize_rows,
    smooth_power_normalization,
    softmax,
    to_length,
)
from .quantization import dequantize, quantize
from .reduce import cumsum, mean, reduce_max, reduce_sum
from .reference import evaluate, has_reference
from .registry import (
    ROWS,
    GradientSupport,
    OpRow,
    Rule,
    Weights,
    find_row,
    register,
    row_of,
    version_of,
)
from .repeats import reverse
from .shape import flatten, reshape, reshape_like, transpose, zeros_like
from .slices import pad, slice_, strided_slice
from .state import (
    assign_variable,
    assigned_constants,
    call_once,
    read_variable,
    var_handle,
    variable_name,
)
from .unary import exp, floor, log, neg, rsqrt, sqrt, square

__all__ = [
    "ROWS",
    "GradientSupport",
    "OpRow",
    "Operand",
    "Rule",
    "Weights",
    "add",
    "assign_variable",
    "assigned_constants",
    "call_once",
    "can_emit",
    "concatenation",
    "constant_output",
    "cumsum",
    "dequantize",
    "div",
    "emit",
    "emit_any_batch",
    "emit_many",
    "evaluate",
    "exp",
    "find_row",
    "flatten",
    "floor",
    "fold_shapes",
    "fully_connected",
    "greater",
    "has_reference",
    "infer_outputs",
    "input_gradient",
    "l2_normalization",
    "linear",
    "log",
    "log_softmax",
    "logistic",
    "matmul",
    "maximum",
    "mean",
    "minimum",
    "mul",
    "neg",
    "output_gradient",
    "pad",
    "pow_",
    "power_normalization",
    "power_normalize_rows",
    "quantize",
    "read_variable",
    "reduce_max",
    "reduce_sum",
    "register",
    "relu",
    "reshape",
    "reshape_like",
    "reverse",
    "row_of",
    "rsqrt",
    "select",
    "slice_",
    "smooth_power_normalization",
    "softmax",
    "sqrt",
    "square",
    "strided_slice",
    "sub",
    "tanh",
    "to_length",
    "transpose",
    "var_handle",
    "variable_name",
    "version_of",
    "zeros_like",
]
