"""Shared fixtures: small models that are built on the spot, and the real models."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pluggy
import pytest

import sartor
from sartor.flatbuffer import write
from sartor.graph import DType, Graph, Model, Op, Tensor

pytest_plugins = ["skipped"]

SHARED = Path(__file__).parents[1].parent / "shared"

Convert = Callable[..., Path]


_NO_SHARED_FOLDER = "the shared folder is not there"
_RAN = pytest.StashKey[set[str]]()


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(_NO_SHARED_FOLDER)
    return folder


def _real_models() -> list[Path]:
    return sorted((SHARED / "models").glob("*.tflite"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `real_model` on each real model; without models, skip it."""
    if "real_model" in metafunc.fixturenames:
        missing = pytest.param(None, marks=pytest.mark.skip(_NO_SHARED_FOLDER), id="none")
        models = [pytest.param(path, id=path.stem) for path in _real_models()]
        metafunc.parametrize("real_model", models or [missing], scope="session")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pluggy.Result[pytest.TestReport], None]:
    report = (yield).get_result()
    model = getattr(item, "funcargs", {}).get("real_model")
    if model is not None and report.when == "call" and not report.skipped:
        item.config.stash.setdefault(_RAN, set()).add(model.name)


def _models_without_test(config: pytest.Config) -> list[str]:
    """Return the real models that no test ran on, if the run includes tests that take them."""
    is_selection = config.option.keyword or any("::" in argument for argument in config.args)
    if _RAN not in config.stash or is_selection or config.option.maxfail:
        return []
    ran = config.stash[_RAN]
    return [path.name for path in _real_models() if path.name not in ran]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any("real_model" in getattr(item, "fixturenames", ()) for item in items):
        config.stash.setdefault(_RAN, set())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a real model had no test."""
    if not session.config.option.collectonly and _models_without_test(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    missing = [report.nodeid for report in skipped if _NO_SHARED_FOLDER in str(report.longrepr)]
    if missing:
        terminalreporter.section(f"NOT RUN: {len(missing)} tests on real models and photos", "!")
        terminalreporter.line(f"{SHARED} is not there, so these tests did not run:")
        for name in sorted({name.partition("[")[0] for name in missing}):
            terminalreporter.line(f"  {name}")
    if not config.option.collectonly and (names := _models_without_test(config)):
        terminalreporter.section("FAILED: real models that no test ran on", "!", red=True)
        terminalreporter.line(", ".join(names))


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """Return the folder of real models."""
    return _shared("models")


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Return the folder of small models like those that users bring."""
    return _shared("cases")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real photos and recordings."""
    return _shared("data")


@pytest.fixture(scope="session")
def tiny_base() -> bytes:
    """Return a float base: 8 numbers, a hidden layer of 16, and 3 logits."""
    return _base((1, 8))


@pytest.fixture(scope="session")
def image_base() -> bytes:
    """Return a float base that takes images of 8 x 10 pixels."""
    return _base((1, 8, 10, 3))


@pytest.fixture
def tiny(tiny_base: bytes, tmp_path: Path) -> Convert:
    """Return a function that converts `tiny_base`: `tiny("name", classes=3, …)` → its path."""
    return _converter(tiny_base, tmp_path)


@pytest.fixture
def image_model(image_base: bytes, tmp_path: Path) -> Convert:
    """Return a function that converts `image_base`: `image_model("name", …)` → its path."""
    return _converter(image_base, tmp_path)


def _converter(base: bytes, folder: Path) -> Convert:
    def make(name: str = "model", **settings: object) -> Path:
        settings = {"classes": 4, "batch_size": 8, **settings}
        return sartor.convert(base, **settings).save(folder / f"{name}.tflite")  # type: ignore[arg-type]

    return make


def _base(shape: tuple[int, ...]) -> bytes:
    rng = np.random.default_rng(0)
    model, graph = Model(), Graph("main")
    model.graphs.append(graph)
    hidden = _dense(graph, graph.input("x", shape), 16, rng, relu=True)
    graph.outputs = [_dense(graph, hidden, 3, rng, relu=False)]
    return write(model)


def _dense(graph: Graph, x: Tensor, units: int, rng: np.random.Generator, *, relu: bool) -> Tensor:
    size = x.size
    weights = (rng.normal(size=(units, size)) / np.sqrt(size)).astype(np.float32)
    y = graph.tensor(f"dense_{units}", DType.FLOAT32, (1, units))
    inputs = (x, graph.constant(weights), graph.constant(np.zeros(units, np.float32)))
    options = {"fusedActivationFunction": int(relu)}
    graph.add(
        Op("FULLY_CONNECTED", inputs, (y,), options=options, options_type="FullyConnectedOptions")
    )
    return y
