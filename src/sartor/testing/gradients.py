"""Check gradient rules: LiteRT against NumPy, and NumPy against finite differences.

`check_gradients` computes each derivative three times. Each comparison has one possible cause of
failure:

- LiteRT (float32) and NumPy (float64) run the same gradient graph. If they differ, a kernel does
  not compute what its row states, a shape is wrong, or the formula is not accurate in float32.
- NumPy runs the gradient graph and central differences of the forward graph, both in float64. If
  they differ, a gradient rule is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..autodiff import gradients
from ..errors import VerificationError
from ..graph import DType, Graph, Tensor
from ..ops import evaluate
from .run import run_graph

__all__ = ["GradientCheck", "Uniform", "check_gradients"]


@dataclass(frozen=True)
class Uniform:
    """A float32 input with random values from an interval.

    Attributes:
        shape: shape of the input.
        low, high: the interval. The graph must be smooth in it (`low > 0` for LOG).
    """

    shape: tuple[int, ...]
    low: float = -1.0
    high: float = 1.0


@dataclass(frozen=True)
class GradientCheck:
    """The largest errors of a check, each relative to the largest expected value.

    Attributes:
        value: error of the output, LiteRT against NumPy.
        runtime: error of the gradient of each float input, LiteRT against NumPy.
        rule: error of the same gradients, NumPy against central differences.
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
    """Check the gradients of a graph with respect to each float input.

    The checked function is `Σ c · output` with random `c`, which involves every entry of the
    Jacobian.

    Args:
        build: function that takes one tensor per input, emits ops (`sartor.ops`) and returns the
            output tensor.
        inputs: arrays (floats are converted to float32), or distributions to draw from. The graph
            must be differentiable at these points.
        seed: seed of all random values. Default: 0.
        float32_tolerance: largest error between LiteRT and NumPy, relative to the largest value of
            the tensor. float32 rounds at 6e-8, sums over a few hundred elements reach 1e-6, and
            EXP, TANH and LOGISTIC of XNNPACK are accurate to about 1e-6.
        rule_tolerance: largest error between NumPy and central differences, relative to the
            largest derivative. Both are float64; the truncation error is about 1e-9.
        smallest: lower bound of the value that errors are relative to. It keeps rounding errors of
            a zero derivative from failing the check.
        step: step of the central differences, relative to the largest entry of the input. The
            default is the cube root of the float64 epsilon, which balances rounding and truncation.
        entries: inputs with at most this many entries are differenced entry by entry.
        directions: number of random directions for larger inputs.

    Returns:
        The measured errors.

    Raises:
        VerificationError: If an error exceeds its tolerance. The message lists each failed
            comparison with its worst entry, the actual and the expected value.
        GradientError: If the graph has no gradient (see `sartor.autodiff.gradients`).
    """
    rng = np.random.default_rng(seed)
    arrays = [_to_array(value, rng) for value in inputs]
    graph = Graph("check")
    tensors = [graph.input(f"input {i}", a.shape, DType.of(a)) for i, a in enumerate(arrays)]
    feeds = dict(zip(tensors, arrays, strict=True))
    output = build(*tensors)
    ops = " → ".join(op.name for op in graph.ops)
    _check_shapes(evaluate(graph, feeds))
    cotangent = rng.standard_normal(output.shape).astype(np.float32)
    sources = [tensor for tensor in tensors if tensor.dtype.is_float]

    differences = _CentralDifferences(graph, output, feeds, cotangent, step)
    numeric = [differences.gradient(source, entries, directions, rng) for source in sources]
    seed_tensor = graph.input("cotangent", output.shape)
    feeds[seed_tensor] = cotangent
    emitted = gradients(output, sources, seed=seed_tensor)
    graph.outputs = [output, *emitted]
    exact = evaluate(graph, feeds)
    _check_shapes(exact)
    runtime = run_graph(graph, feeds)

    value = _Comparison(f"LiteRT runs {ops}", "the output", float32_tolerance, smallest)
    value_error = value.error(runtime[output], exact[output])
    failures = list(value.failures)
    runtime_errors, rule_errors = [], []
    for source, gradient, (axes, derivatives) in zip(sources, emitted, numeric, strict=True):
        name = f"the gradient with respect to {source!r}"
        by_runtime = _Comparison(
            f"LiteRT runs the gradient of {ops}", name, float32_tolerance, smallest
        )
        runtime_errors.append(by_runtime.error(runtime[gradient], exact[gradient]))
        by_rule = _Comparison(f"the gradient rules of {ops}", name, rule_tolerance, smallest)
        rule_errors.append(by_rule.error(_project(exact[gradient], axes), derivatives))
        failures += [*by_runtime.failures, *by_rule.failures]
    if failures:
        raise VerificationError("\n".join(failures))
    return GradientCheck(value_error, tuple(runtime_errors), tuple(rule_errors))


def _to_array(value: np.ndarray | Uniform, rng: np.random.Generator) -> np.ndarray:
    if isinstance(value, Uniform):
        value = rng.uniform(value.low, value.high, value.shape)
    value = np.asarray(value)
    return value.astype(np.float32) if value.dtype.kind == "f" else value


def _check_shapes(values: Mapping[Tensor, np.ndarray]) -> None:
    """Raise VerificationError if a row infers another shape than its reference computes."""
    failures = [
        f"{tensor!r} of {tensor.producer!r}: the row infers shape {tensor.shape}, its NumPy "
        f"reference computes {value.shape}."
        for tensor, value in values.items()
        if value.shape != tensor.shape
    ]
    if failures:
        raise VerificationError("\n".join(failures))


def _project(gradient: np.ndarray, directions: np.ndarray | None) -> np.ndarray:
    """Project a gradient on each direction; None stands for the unit vectors."""
    if directions is None:
        return gradient
    return np.asarray(np.tensordot(directions, gradient, gradient.ndim))


@dataclass(frozen=True)
class _CentralDifferences:
    """Derivatives of `Σ cotangent · output`, in float64."""

    graph: Graph
    output: Tensor
    feeds: Mapping[Tensor, np.ndarray]
    cotangent: np.ndarray
    step: float

    def gradient(
        self, source: Tensor, entries: int, directions: int, rng: np.random.Generator
    ) -> tuple[np.ndarray | None, np.ndarray]:
        """Return directions and the derivative along each.

        For a source with at most `entries` entries, the directions are None and the derivatives
        have the shape of the source.
        """
        shape, size = source.shape, source.size
        if size <= entries:
            units = np.eye(size).reshape(size, *shape)
            derivatives = np.array([self.derivative(source, unit) for unit in units])
            return None, derivatives.reshape(shape)
        axes = rng.standard_normal((directions, *shape))
        axes /= np.sqrt(np.square(axes).sum(axis=tuple(range(1, axes.ndim)), keepdims=True))
        return axes, np.array([self.derivative(source, axis) for axis in axes])

    def derivative(self, source: Tensor, direction: np.ndarray) -> float:
        """Return the derivative along one direction."""
        x = self.feeds[source].astype(np.float64)
        h = self.step * (float(np.abs(x).max()) or 1.0)
        ahead, behind = (self._value(source, x + sign * h * direction) for sign in (1, -1))
        return (ahead - behind) / (2 * h)

    def _value(self, source: Tensor, x: np.ndarray) -> float:
        output = evaluate(self.graph, {**self.feeds, source: x})[self.output]
        return float(np.sum(output * self.cotangent))


class _Comparison:
    """Compares tensors and collects the failures."""

    def __init__(self, context: str, name: str, tolerance: float, smallest: float) -> None:
        self.context = context
        self.name = name
        self.tolerance = tolerance
        self.smallest = smallest
        self.failures: list[str] = []

    def error(self, actual: np.ndarray, expected: np.ndarray) -> float:
        """Return the largest difference, relative to the largest expected value."""
        if actual.shape != expected.shape:
            self._fail(f"has shape {actual.shape}, expected {expected.shape}")
            return float("inf")
        if not actual.size:
            return 0.0
        largest = max(float(np.abs(expected).max()), self.smallest)
        difference = np.abs(actual - expected) / largest
        error = float(difference.max())
        if not error <= self.tolerance:
            worst = np.unravel_index(int(difference.argmax()), difference.shape)
            index = tuple(int(each) for each in worst)
            self._fail(
                f"is {actual[worst]:.9g} at entry {index}, expected {expected[worst]:.9g}: the "
                f"error is {error:.2g} of the largest value, the tolerance {self.tolerance:.2g}"
            )
        return error

    def _fail(self, problem: str) -> None:
        self.failures.append(f"{self.context}: {self.name} {problem}.")
