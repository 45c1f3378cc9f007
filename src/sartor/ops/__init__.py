"""The TFLite ops that Sartor knows, by family: one row an op, and a function that emits it."""

from .builder import Operand, emit
from .contraction import fully_connected, matmul
from .elementwise import (
    add,
    div,
    exp,
    greater,
    log,
    logistic,
    maximum,
    minimum,
    mul,
    neg,
    pow_,
    relu,
    rsqrt,
    select,
    sqrt,
    square,
    sub,
    tanh,
)
from .gradient import input_gradient, output_gradient
from .normalization import l2_normalization, log_softmax, softmax
from .quantization import dequantize, quantize
from .reduce import mean, reduce_sum
from .reference import evaluate
from .registry import ROWS, OpRow, Rule, State, register, row_of
from .shape import (
    concatenation,
    flatten,
    pad,
    reshape,
    reshape_like,
    slice_,
    transpose,
    zeros_like,
)
from .state import assign_variable, call_once, read_variable, var_handle

__all__ = [
    "ROWS",
    "OpRow",
    "Operand",
    "Rule",
    "State",
    "add",
    "assign_variable",
    "call_once",
    "concatenation",
    "dequantize",
    "div",
    "emit",
    "evaluate",
    "exp",
    "flatten",
    "fully_connected",
    "greater",
    "input_gradient",
    "l2_normalization",
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
    "quantize",
    "read_variable",
    "reduce_sum",
    "register",
    "relu",
    "reshape",
    "reshape_like",
    "row_of",
    "rsqrt",
    "select",
    "slice_",
    "softmax",
    "sqrt",
    "square",
    "sub",
    "tanh",
    "transpose",
    "var_handle",
    "zeros_like",
]
