"""The generated constants in TypeScript and Kotlin."""

from __future__ import annotations

import re
import sys

import pytest
from runtimes import ROOT

from sartor.contract import names, sample_store
from sartor.contract.manifest import Manifest

sys.path.insert(0, str(ROOT / "tools"))


def test_the_generated_files_are_up_to_date() -> None:
    from generate_constants import FOLDER, generated

    files = generated()
    assert {path.name for path in FOLDER.iterdir()} == set(files)
    for name, text in files.items():
        committed = (FOLDER / name).read_text(encoding="utf-8")
        assert committed == text, f"{name} differs: run `python tools/generate_constants.py`"


@pytest.mark.parametrize("name", ["contract.ts", "Contract.kt"])
def test_every_constant_is_generated(name: str) -> None:
    text = (ROOT / "contract" / "generated" / name).read_text(encoding="utf-8")
    constants = [*names.__all__, *filter(str.isupper, sample_store.__all__)]
    for constant in constants:
        assert re.search(rf"\b{constant}\b", text), constant


def test_the_interface_of_the_manifest_has_the_keys_of_its_json() -> None:
    text = (ROOT / "contract" / "generated" / "contract.ts").read_text(encoding="utf-8")
    interface = text.partition("export interface Manifest {")[2].partition("\n}")[0]
    keys = set(re.findall(r"readonly (\w+):", interface))
    expected = {"contract", *Manifest.__dataclass_fields__} - {"version"}
    assert keys == expected
