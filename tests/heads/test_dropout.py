"""Dropout masks are uncorrelated, exact, and part of the saved state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import sartor
from sartor.contract.names import (
    FEATURES,
    LABELS,
    LEARNING_RATE,
    LOSS,
    RANDOM_STATE,
    RUN,
    SAMPLE_WEIGHTS,
)
from sartor.errors import ConversionError
from sartor.graph import Graph, Tensor
from sartor.heads import MLP, DropoutMasks, initial_random_state
from sartor.litert import Engine
from sartor.losses import SigmoidCrossEntropy
from sartor.testing import run_graph, verify_contract

Convert = Callable[..., Path]

MODULI = (2039, 2027, 2003)
MULTIPLIERS = (702, 1103, 403)
UNITS = (24, 16)


def graph_of(rate: float, rows: int = 8) -> tuple[Graph, list[Tensor]]:
    """Return a graph from [3] and [N, 2] to a scaled mask per layer and the next state."""
    graph = Graph()
    inputs = [graph.input("state", (3,)), graph.input("features", (rows, 2))]
    inputs += [graph.input(f"ones_{units}", (rows, units)) for units in UNITS]
    masks = DropoutMasks(inputs[0], inputs[1])
    graph.outputs = [masks.drop(x, rate) for x in inputs[2:]]
    graph.outputs.append(masks.next_state())
    return graph, inputs


def run(
    graph: Graph, inputs: list[Tensor], state: np.ndarray, rows: int
) -> tuple[list[np.ndarray], np.ndarray]:
    shapes = [(3,), (rows, 2), *[(rows, units) for units in UNITS]]
    values = [state.astype(np.float32), *[np.ones(shape, np.float32) for shape in shapes[1:]]]
    results = run_graph(graph, dict(zip(inputs, values, strict=True)))
    *masks, next_state = (results[tensor] for tensor in graph.outputs)
    return masks, next_state


def by_definition(state: list[int], layer: int, rows: int, units: int, rate: float) -> np.ndarray:
    """Return the mask by the definition in the docstring: bool [rows, units]."""
    rng = np.random.default_rng(layer)
    total = np.zeros((rows, units), np.int64)
    for state_number, p in zip(state, MODULI, strict=True):
        factors = rng.integers(1, p, units)
        total += [
            [pow(state_number + n, 9, p) * int(m) % p for m in factors] for n in range(1, rows + 1)
        ]
    return np.asarray(total % 2039 >= round(rate * 2039))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_litert_masks_equal_integer_arithmetic_for_any_number_of_rows(rate: float) -> None:
    graph, inputs = graph_of(rate)
    state = [int(s) for s in initial_random_state()]
    share = 1 - round(rate * 2039) / 2039
    for rows in (8, 3, 40):
        masks, next_state = run(graph, inputs, np.array(state), rows)
        for layer, (units, mask) in enumerate(zip(UNITS, masks, strict=True), 1):
            is_kept = by_definition(state, layer, rows, units, rate)
            np.testing.assert_array_equal(mask > 0, is_kept)
            np.testing.assert_allclose(mask[is_kept], 1 / share, rtol=1e-6)
        state = [a * s % p for a, s, p in zip(MULTIPLIERS, state, MODULI, strict=True)]
        np.testing.assert_array_equal(next_state, state)


def test_largest_intermediate_values_are_exact() -> None:
    """The numbers of the rows are all residues of all moduli."""
    graph, inputs = Graph(), []
    inputs = [graph.input("state", (3,)), graph.input("x", (1, UNITS[0]))]
    graph.outputs = [DropoutMasks(*inputs).drop(inputs[1], 0.5)]
    rows = max(MODULI) + 1
    feeds = [np.ones(3, np.float32), np.ones((rows, UNITS[0]), np.float32)]
    (mask,) = run_graph(graph, dict(zip(inputs, feeds, strict=True))).values()
    np.testing.assert_array_equal(mask > 0, by_definition([1] * 3, 1, rows, UNITS[0], 0.5))


def test_period_of_the_states_is_long() -> None:
    for p, a in zip(MODULI, MULTIPLIERS, strict=True):
        assert len({pow(a, n, p) for n in range(p - 1)}) == p - 1, "a must be a primitive root of p"
        assert len({x**3 % p for x in range(p)}) == p, "x³ must be a permutation"
    assert np.lcm.reduce([p - 1 for p in MODULI]) > 2e9


STEPS, ROWS, WIDTH = 1500, 24, 32


@pytest.fixture(scope="module", params=[0.2, 0.5])
def masks(request: pytest.FixtureRequest) -> np.ndarray:
    """Return masks [steps, rows, units], shifted and scaled to mean 0 and deviation 1."""
    rate: float = request.param
    powers = [np.array([pow(x, 9, p) for x in range(p)]) for p in MODULI]
    state, steps = initial_random_state().astype(np.int64), []
    rng = np.random.default_rng(1)
    units = [rng.integers(1, p, WIDTH) for p in MODULI]
    rows = np.arange(1, ROWS + 1)
    for _ in range(STEPS):
        parts = [
            powers[i][(rows + state[i]) % p][:, None] * units[i] % p for i, p in enumerate(MODULI)
        ]
        steps.append(sum(parts) % 2039 >= round(rate * 2039))
        state = state * MULTIPLIERS % MODULI
    keep = 1 - round(rate * 2039) / 2039
    return np.asarray((np.array(steps) - keep) / np.sqrt(keep * (1 - keep)))


def largest(means: np.ndarray, count: int) -> float:
    """Return the largest of some means of `count` draws each, in standard deviations."""
    return float(np.abs(means).max() * np.sqrt(count))


def test_every_unit_row_and_step_has_the_dropout_rate(masks: np.ndarray) -> None:
    assert largest(masks.mean((0, 1)), STEPS * ROWS) < 4.5
    assert largest(masks.mean((0, 2)), STEPS * WIDTH) < 4.5
    assert largest(masks.mean((1, 2)), ROWS * WIDTH) < 5
    assert largest(masks.mean(0), STEPS) < 5
    for axes, count in ((2, WIDTH), (1, ROWS), ((1, 2), ROWS * WIDTH)):
        spread = masks.mean(axes).var() * count
        assert spread == pytest.approx(1, abs=0.06)  # the value of independent draws


def test_units_rows_and_steps_are_uncorrelated(masks: np.ndarray) -> None:
    units = np.einsum("tnu,tnv->uv", masks, masks) / (STEPS * ROWS)
    assert largest(units[np.triu_indices(WIDTH, 1)], STEPS * ROWS) < 5
    rows = np.einsum("tnu,tmu->nm", masks, masks) / (STEPS * WIDTH)
    assert largest(rows[np.triu_indices(ROWS, 1)], STEPS * WIDTH) < 5
    for lag in (1, 2, 3, 10):
        steps = masks[lag:] * masks[:-lag]
        assert largest(steps.mean(0), STEPS - lag) < 5
        assert largest(steps.mean(), (STEPS - lag) * ROWS * WIDTH) < 4.5
    for rows_on, units_on in ((1, 0), (0, 1), (1, 1), (3, 5)):
        one = masks[:, rows_on:, units_on:]
        other = masks[:, : ROWS - rows_on, : WIDTH - units_on]
        assert largest((one * other).mean(), one.size) < 4.5


HEAD = MLP(hidden=(12, 6), dropout=0.4)


@pytest.mark.parametrize("head", [HEAD, MLP(dropout=0.5, loss=SigmoidCrossEntropy())], ids=str)
@pytest.mark.parametrize("optimizer", [sartor.SGD(momentum=0.9), sartor.Adam(clip_norm=1.0)])
def test_file_with_dropout_fulfills_the_contract(
    tiny: Convert, head: MLP, optimizer: sartor.SGD | sartor.Adam
) -> None:
    report = verify_contract(tiny(head=head, optimizer=optimizer))
    assert report.passed, report.failures
    assert "dropout depends on saved variables only" in {each.name for each in report.checks}


def test_file_without_dropout_has_no_random_state(tiny: Convert) -> None:
    model = sartor.flatbuffer.read(tiny(head=MLP()))
    assert "CUMSUM" not in {op.code for graph in model.graphs for op in graph.ops}
    save = model.signature("save")
    assert save is not None
    assert RANDOM_STATE not in save.outputs


def test_resumed_training_equals_uninterrupted_training(tiny: Convert) -> None:
    path = tiny(head=HEAD)
    with sartor.PersonalModel(path) as model:
        manifest = model.manifest
    expected, engine = steps(Engine(path, manifest), 6), Engine(path, manifest)
    first = steps(engine, 3)
    resumed = Engine(path, manifest)
    resumed.restore(engine.variables())
    assert [*first, *steps(resumed, 3)] == expected
    resumed.run("initialize", {RUN: np.ones(1, np.float32)})
    assert steps(resumed, 6) == expected


def steps(engine: Engine, count: int) -> list[float]:
    """Return the losses of some steps on one batch."""
    rng = np.random.default_rng(0)
    batch = {
        FEATURES: rng.standard_normal((8, 16)).astype(np.float32),
        LABELS: np.eye(4, dtype=np.float32)[rng.integers(0, 4, 8)],
        SAMPLE_WEIGHTS: np.ones(8, np.float32),
        LEARNING_RATE: np.full(1, 0.1, np.float32),
    }
    one_hots = [np.eye(4, dtype=np.float32)[i] for i in range(4)]
    if not engine.variables()["class_mask"].any():
        for one_hot in one_hots:
            rows = {FEATURES: batch[FEATURES], SAMPLE_WEIGHTS: batch[SAMPLE_WEIGHTS]}
            engine.run(
                "set_class", {"class_one_hot": one_hot, **rows, "active": np.ones(1, np.float32)}
            )
    return [float(engine.run("train", batch)[LOSS][0]) for _ in range(count)]


def test_parameters_load_with_and_without_dropout(tiny: Convert, tmp_path: Path) -> None:
    with_dropout, without_dropout = (
        tiny("with", head=HEAD),
        tiny("without", head=MLP(hidden=(12, 6))),
    )
    sample = np.ones((1, 8), np.float32)
    for first, then in ((with_dropout, without_dropout), (without_dropout, with_dropout)):
        with sartor.PersonalModel(first) as model:
            model.add_sample(sample, "a")
            model.add_sample(-sample, "b")
            model.fit(epochs=3)
            prediction = model.predict(sample)
            checkpoint = model.save(tmp_path / "it.safetensors")
        with sartor.PersonalModel(then) as model:
            model.load(checkpoint)
            assert model.predict(sample) == prediction


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_invalid_rates_raise_an_error(rate: float) -> None:
    with pytest.raises(ConversionError, match="dropout must be at least 0 and below 1"):
        MLP(dropout=rate)
