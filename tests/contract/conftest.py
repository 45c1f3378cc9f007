from __future__ import annotations

from pathlib import Path

import pytest
from runtimes import ROOT  # imported first, because it adds `contract/` to sys.path

import sartor

MOBILENET = ROOT.parent / "shared" / "models" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"


@pytest.fixture(scope="session")
def mobilenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the vectors of a personalizable MobileNetV2, in the folder of the model."""
    from make import write_case

    if not MOBILENET.exists():
        pytest.skip("the shared models are missing")
    content = sartor.convert(MOBILENET, classes=10).content
    return write_case(tmp_path_factory.mktemp("contract"), "mobilenet", content)
