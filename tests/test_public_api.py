"""Public names: their list, their imports and their docstrings."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import isclass, isfunction
from types import ModuleType
from typing import get_args

import pytest

import sartor

SURFACE = {
    "sartor": {
        "Adam", "AdamW", "CosineClassifier", "FrozenModel", "MLP", "MultiLabelClassifier",
        "PersonalModel", "PersonalizableModel", "RMSprop", "Regressor", "SGD",
        "SoftmaxClassifier", "__version__", "bases", "convert", "describe", "errors",
        "freeze", "heads", "losses", "modalities", "optimizers", "runtime", "testing",
    },
    "sartor.bases": {
        "Base", "EfficientNetLite0", "Keras", "MOBILENET_V2", "MobileNetV2", "PyTorch",
        "STARTER", "SavedModel", "TFLite", "find_base", "load_base",
    },
    "sartor.heads": {
        "CosineClassifier", "DropoutHead", "DropoutMasks", "FineTune", "GraphHead", "Head", "Keras",
        "LinearLayer", "MLP", "MultiLabelClassifier", "NormalizingHead", "Parameter", "Regressor",
        "SoftmaxClassifier", "TFLite", "initial_random_state",
    },
    "sartor.losses": {
        "Huber", "Loss", "MeanSquaredError", "SigmoidCrossEntropy", "SoftmaxCrossEntropy",
        "check_loss",
        "weighted_mean",
    },
    "sartor.optimizers": {
        "Adam", "AdamW", "DEFAULT_OPTIMIZER", "FirstStep", "OPTIMIZERS", "Optimizer", "RMSprop",
        "SGD", "StepSpec", "check_optimizer", "clip_by_global_norm",
    },
    "sartor.testing": {
        "Check", "GradientCheck", "Report", "Uniform", "check_gradients", "run_graph",
        "verify_contract",
    },
}  # fmt: skip
"""Package → its public names. A change here is a change for users and needs a new version."""


def _modules(package: ModuleType) -> Iterator[str]:
    yield package.__name__
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            yield module.name


MODULES = list(_modules(sartor))


@pytest.mark.parametrize("name", SURFACE)
def test_public_names_are_those_of_the_table(name: str) -> None:
    public = set(import_module(name).__all__)
    assert public == SURFACE[name], (
        "add the new name to SURFACE if it is for users; otherwise remove it from __all__"
    )


@pytest.mark.parametrize("name", MODULES)
def test_names_in_all_exist(name: str) -> None:
    module = import_module(name)
    names = getattr(module, "__all__", ())  # an empty package has none
    assert len(set(names)) == len(names)
    for each in names:
        getattr(module, each)


@pytest.mark.parametrize("name", MODULES)
def test_public_classes_and_functions_are_in_all(name: str) -> None:
    """A name without an underscore is in `__all__` of its module."""
    module = import_module(name)
    names = {
        each
        for each, value in vars(module).items()
        if not each.startswith("_")
        and (isclass(value) or isfunction(value))
        and value.__module__ == name
    }
    public = set(getattr(module, "__all__", ()))
    assert names <= public, "add it to __all__, or begin its name with _"


@pytest.mark.parametrize("name", MODULES)
def test_public_names_have_docstrings(name: str) -> None:
    module = import_module(name)
    assert module.__doc__
    for each in getattr(module, "__all__", ()):
        value = getattr(module, each)
        if (isclass(value) and not get_args(value)) or isfunction(value):
            assert value.__doc__, each
            assert not value.__doc__.startswith(f"{each}("), f"{each}: a dataclass's own docstring"


def test_convert_is_a_function_after_any_import() -> None:
    import_module("sartor.convert")
    assert isfunction(sartor.convert)
    assert set(dir(sartor)) >= SURFACE["sartor"]
    with pytest.raises(AttributeError, match="no attribute 'konvert'"):
        sartor.konvert  # noqa: B018


@pytest.mark.parametrize("name", ["errors", "ops", "autodiff", "runtime.reembed"])
def test_modules_are_attributes_of_the_package(name: str) -> None:
    """They are imported at first use."""
    subprocess.run([sys.executable, "-c", f"import sartor; sartor.{name}"], check=True)


FRAMEWORKS = ("tensorflow", "torch", "keras", "jax", "sklearn", "scipy")
CONVERTER = (
    "autodiff", "bases", "cli", "convert", "heads", "losses", "optimizers", "passes", "testing",
)  # fmt: skip
IMPORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "import sartor": (
        "import sartor",
        (*FRAMEWORKS, "PIL", "safetensors", "typer", "rich", "numpy", "ai_edge_litert"),
    ),
    "the runtime": (
        "import sartor; sartor.PersonalModel",
        (*FRAMEWORKS, "typer", "rich", *(f"sartor.{name}" for name in CONVERTER)),
    ),
    "preprocessing": (
        "import sartor.modalities",
        (*FRAMEWORKS, "ai_edge_litert", *(f"sartor.{name}" for name in CONVERTER)),
    ),
    "the converter": (
        "import sartor; sartor.convert",
        (
            *FRAMEWORKS, "PIL", "safetensors", "typer", "rich", "ai_edge_litert.interpreter",
            "sartor.runtime", "sartor.testing", "sartor.cli",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPORTS)
def test_imports_are_minimal(name: str) -> None:
    code, forbidden = IMPORTS[name]
    listing = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    modules = set(listing.stdout.split())
    assert not modules.intersection(forbidden)
