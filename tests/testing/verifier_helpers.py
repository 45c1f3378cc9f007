"""Names of variables and checks, and the failures of a file, for the tests of the verifier."""

from __future__ import annotations

import sartor
from sartor import PersonalizableModel
from sartor.optimizers import SGD
from sartor.testing.verify import verify_contract

W, B, T = "head/weights", "head/bias", "temperature"
MASK, VELOCITY = "class_mask", "optimizer/momentum/head/weights"

IMPRINTS, CLEARS = "set_class imprints one class", "set_class clears one class"
STATISTICS = "set_class without a class changes statistics only"
SIZE = "normalization removes the scale of features"
NO_GRADIENT = "a masked class has no gradient"
INFER = "infer and evaluate return the same output"
FIRST = "an imprinted class is predicted after one sample"
RESTORE = "save returns the restored values"
RANGES = "byte ranges contain the initial values"
BAKED = "values written at the byte ranges become the initial values"


def convert_base(base: bytes) -> PersonalizableModel:
    """Convert a base with 2 classes, a capacity of 4 and SGD with momentum."""
    return sartor.convert(
        base, classes=["a", "b"], capacity=4, batch_size=6, optimizer=SGD(momentum=0.5)
    )


def failures(content: bytes) -> dict[str, str]:
    """Return the failed checks and their details."""
    return {check.name: check.detail for check in verify_contract(content).failures}
