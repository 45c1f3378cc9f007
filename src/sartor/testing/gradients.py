"""Checking gradients: what the runtime computes, against NumPy, against finite differences.

Three numbers are computed for each derivative, and each pair that is compared can only differ for
one reason:

- LiteRT on the emitted graph (float32) against NumPy on the same graph (float64): a kernel that
  does something else than its row says, a wrong shape, or a formula that float32 does not bear;
- NumPy on the emitted graph against central differences of the forward graph (both float64): a
  gradient rule that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..autodiff import gradients
from ..errors import DataError, VerificationError
from ..flatbuffer import write
from ..graph import DType, Graph, Model, Tensor
from ..litert import create_interpreter
from ..ops import evaluate

__all__ = ["GradientCheck", "Uniform", "check_gradients", "interpret"]


@dataclass(frozen=True)
class Uniform:
    """An input to draw: float32, evenly from an interval.

    Attributes:
        shape: of the input.
        low, high: the interval; keep it where the graph is smooth (`low > 0` for LOG).
    """

    shape: tuple[int, ...]
    low: float = -1.0
    high: float = 1.0


@dataclass(frozen=True)
class GradientCheck:
    """The largest errors that a check measured, each relative to the largest value expected.

    Attributes:
        value: of the forward graph, LiteRT against NumPy.
        runtime: of the gradient of each float input, LiteRT against NumPy.
        rule: of the same gradients, NumPy against central differences.
    """

    value: float
    runtime: tuple[float, ...]
    rule: tuple[float, ...]


def check_gradients(
    build: Callable[..., Tensor],
    inputs: Sequence[np.ndarray | Uniform],
    *,
    seed: int = 0,
    float32_tolerance: float = 2e-5,
    rule_tolerance: float = 1e-6,
    smallest: float = 1e-3,
    step: float = 6e-6,
    entries: int = 64,
    directions: int = 8,
) -> GradientCheck:
    """Check the gradients of a graph with respect to each of its float inputs.

    The gradient checked is that of `Σ c · output`, with `c` drawn at random, so that no entry of
    the Jacobian can hide behind another.

    Args:
        build: takes a tensor for each input, emits ops (`sartor.ops`) and returns the output.
        inputs: arrays (floats are taken as float32), or shapes and ranges to draw from. Points
            where the graph has a kink have no derivative to compare with.
        seed: of all that is drawn.
        float32_tolerance: between LiteRT and NumPy, relative to the largest value of the tensor.
            Float32 rounds at 6e-8, sums over a few hundred elements reach 1e-6, and XNNPACK's
            EXP, TANH and LOGISTIC are good to about 1e-6.
        rule_tolerance: between NumPy and central differences, relative to the largest derivative.
            Both are float64: what is left is the step's own error, about 1e-9.
        smallest: a largest value below this counts as this: a derivative that is zero comes out as
            rounding, and there is nothing to hold that against.
        step: of the central differences, relative to the largest entry of the input: the cube root
            of float64's epsilon, where rounding and curvature cost the same.
        entries: inputs of at most this many entries are differenced entry by entry.
        directions: larger ones along this many random directions.

    Returns:
        The errors measured.

    Raises:
        VerificationError: a tolerance is exceeded; the message lists each comparison that failed,
            with the worst entry, what was got and what was expected.
        GradientError: the graph has no gradient, as `sartor.autodiff.gradients` says.
    """
    random = np.random.default_rng(seed)
    arrays = [_array(value, random) for value in inputs]
    graph = Graph("check")
    tensors = [graph.input(f"input {i}", a.shape, DType.of(a)) for i, a in enumerate(arrays)]
    feeds = dict(zip(tensors, arrays, strict=True))
    output = build(*tensors)
    ops = " → ".join(op.name for op in graph.ops)
    _check_shapes(evaluate(graph, feeds))
    cotangent = random.standard_normal(output.shape).astype(np.float32)
    sources = [tensor for tensor in tensors if tensor.dtype.is_float]

    slope = _Slope(graph, output, feeds, cotangent, step)
    numeric = [slope.along_all(source, entries, directions, random) for source in sources]
    seed_tensor = graph.input("cotangent", output.shape)
    feeds[seed_tensor] = cotangent
    emitted = gradients(output, sources, seed=seed_tensor)
    graph.outputs = [output, *emitted]
    exact = evaluate(graph, feeds)
    _check_shapes(exact)
    runtime = interpret(graph, feeds)

    failures: list[str] = []
    value_of = _Comparison(f"LiteRT runs {ops}", "the output", float32_tolerance, smallest)
    value = value_of.error(runtime[output], exact[output])
    failures += value_of.failures
    runtime_errors, rule_errors = [], []
    for source, gradient, (axes, slopes) in zip(sources, emitted, numeric, strict=True):
        what = f"the gradient with respect to {source!r}"
        by_litert = _Comparison(
            f"LiteRT runs the gradient of {ops}", what, float32_tolerance, smallest
        )
        runtime_errors.append(by_litert.error(runtime[gradient], exact[gradient]))
        by_rule = _Comparison(f"the gradient rules of {ops}", what, rule_tolerance, smallest)
        rule_errors.append(by_rule.error(_project(exact[gradient], axes), slopes))
        failures += [*by_litert.failures, *by_rule.failures]
    if failures:
        raise VerificationError("\n".join(failures))
    return GradientCheck(value, tuple(runtime_errors), tuple(rule_errors))


def interpret(graph: Graph, feeds: Mapping[Tensor, np.ndarray]) -> dict[Tensor, np.ndarray]:
    """Run a graph in LiteRT.

    Args:
        graph: written as it is.
        feeds: a value for each input, in the input's type. Another shape than the graph states
            resizes the input, as feeding another number of rows does.

    Returns:
        The value of each output.

    Raises:
        DataError: an input has no value.
        InvalidModelError: If LiteRT cannot load the graph or the shapes do not fit.
        RuntimeError: If LiteRT cannot run the graph.
    """
    missing = [tensor for tensor in graph.inputs if tensor not in feeds]
    if missing:
        raise DataError(f"no value is given for the inputs {missing}")
    model = Model()
    model.graphs.append(graph)
    values = [feeds[tensor] for tensor in graph.inputs]
    interpreter = create_interpreter(write(model), input_shapes=[value.shape for value in values])
    for value, detail in zip(values, interpreter.get_input_details(), strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    outputs = zip(graph.outputs, interpreter.get_output_details(), strict=True)
    return {tensor: interpreter.get_tensor(detail["index"]) for tensor, detail in outputs}


def _array(value: np.ndarray | Uniform, random: np.random.Generator) -> np.ndarray:
    if isinstance(value, Uniform):
        value = random.uniform(value.low, value.high, value.shape)
    value = np.asarray(value)
    return value.astype(np.float32) if value.dtype.kind == "f" else value


def _check_shapes(values: Mapping[Tensor, np.ndarray]) -> None:
    """Raise VerificationError where a row infers another shape than its reference makes."""
    failures = [
        f"{tensor!r} of {tensor.producer!r}: the row infers shape {tensor.shape}, its NumPy "
        f"reference makes {value.shape}."
        for tensor, value in values.items()
        if value.shape != tensor.shape
    ]
    if failures:
        raise VerificationError("\n".join(failures))


def _project(gradient: np.ndarray, directions: np.ndarray | None) -> np.ndarray:
    """The gradient's share along each direction; None stands for each entry by itself."""
    if directions is None:
        return gradient
    return np.asarray(np.tensordot(directions, gradient, gradient.ndim))


@dataclass(frozen=True)
class _Slope:
    """Central differences of `Σ cotangent · output`, in float64."""

    graph: Graph
    output: Tensor
    feeds: Mapping[Tensor, np.ndarray]
    cotangent: np.ndarray
    step: float

    def along_all(
        self, source: Tensor, entries: int, directions: int, random: np.random.Generator
    ) -> tuple[np.ndarray | None, np.ndarray]:
        """Slopes along each entry (`None`, in the shape of the source), or random directions."""
        shape, size = source.shape, source.size
        if size <= entries:
            ways = np.eye(size).reshape(size, *shape)
            return None, np.array([self.along(source, way) for way in ways]).reshape(shape)
        ways = random.standard_normal((directions, *shape))
        ways /= np.sqrt(np.square(ways).sum(axis=tuple(range(1, ways.ndim)), keepdims=True))
        return ways, np.array([self.along(source, way) for way in ways])

    def along(self, source: Tensor, way: np.ndarray) -> float:
        """The slope along one direction."""
        x = self.feeds[source].astype(np.float64)
        h = self.step * (float(np.abs(x).max()) or 1.0)
        return (self._loss(source, x + h * way) - self._loss(source, x - h * way)) / (2 * h)

    def _loss(self, source: Tensor, x: np.ndarray) -> float:
        output = evaluate(self.graph, {**self.feeds, source: x})[self.output]
        return float(np.sum(output * self.cotangent))


class _Comparison:
    """One tensor, got and expected; keeps in words what differs by more than the tolerance."""

    def __init__(self, where: str, what: str, tolerance: float, smallest: float) -> None:
        self.where = where
        self.what = what
        self.tolerance = tolerance
        self.smallest = smallest
        self.failures: list[str] = []

    def error(self, got: np.ndarray, expected: np.ndarray) -> float:
        """The largest difference, relative to the largest value expected."""
        if got.shape != expected.shape:
            self._fail(f"has shape {got.shape}, expected {expected.shape}")
            return float("inf")
        if not got.size:
            return 0.0
        largest = max(float(np.abs(expected).max()), self.smallest)
        difference = np.abs(got - expected) / largest
        error = float(difference.max())
        if not error <= self.tolerance:
            worst = np.unravel_index(int(difference.argmax()), difference.shape)
            at = tuple(int(index) for index in worst)
            self._fail(
                f"is {got[worst]:.9g} at entry {at}, expected {expected[worst]:.9g}: an error of "
                f"{error:.2g} of the largest value, where {self.tolerance:.2g} is allowed"
            )
        return error

    def _fail(self, how: str) -> None:
        self.failures.append(f"{self.where}: {self.what} {how}.")
