"""The verifier detects manifests that differ from the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from defects import (
    edit_manifest,
)
from verifier_helpers import (
    BAKED,
    MASK,
    RANGES,
    B,
    T,
    W,
    failures,
)

from sartor import PersonalizableModel
from sartor.contract.manifest import Manifest
from sartor.errors import InvalidModelError, NotPersonalizableError
from sartor.testing.verify import verify_contract


def shift_range(name: str, shift: int) -> Callable[[Manifest], Manifest]:
    """Return an edit that shifts a byte range."""

    def edit(manifest: Manifest) -> Manifest:
        variables = tuple(
            replace(spec, offset=spec.offset + shift) if spec.name == name else spec
            for spec in manifest.variables
        )
        return replace(manifest, variables=variables)

    return edit


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (shift_range(MASK, 4), {RANGES}),
        (shift_range(T, -4), {RANGES}),
        (shift_range(W, 4), {BAKED}),  # the next four bytes are zeros, too
        (shift_range(B, 10**9), {RANGES}),
    ],
    ids=["the mask, a value late", "the temperature, early", "the weights", "outside the file"],
)
def test_a_shifted_byte_range_fails(
    conversion: PersonalizableModel, edit: Callable[[Manifest], Manifest], expected: set[str]
) -> None:
    names = set(failures(edit_manifest(conversion, edit)))
    assert names == expected


@pytest.mark.parametrize(
    ("change", "signatures"),
    [
        ({"batch_size": 7}, {"train", "evaluate", "set_class"}),
        ({"classes": ("a", "b", None)}, set()),
        ({"weights_per_output": True, "task": "multi_label"}, {"train", "evaluate"}),
        ({"variables": ()}, set()),
    ],
    ids=["batch", "capacity", "weights", "variables"],
)
def test_a_manifest_that_differs_from_the_file_fails(
    conversion: PersonalizableModel, change: dict[str, object], signatures: set[str]
) -> None:
    content = edit_manifest(conversion, lambda manifest: replace(manifest, **change))  # type: ignore[arg-type]
    if signatures:
        assert set(failures(content)) == {f"{key}: inputs and outputs" for key in signatures}
    else:  # the manifest contradicts itself
        with pytest.raises(NotPersonalizableError, match=r"sartor\.json is damaged"):
            verify_contract(content)


def test_files_without_a_manifest_are_refused(tiny_base: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotPersonalizableError, match="sartor convert"):
        verify_contract(tiny_base)
    with pytest.raises(InvalidModelError):
        verify_contract(b"no model")
    with pytest.raises(InvalidModelError, match=r"missing\.tflite"):
        verify_contract(tmp_path / "missing.tflite")


def test_paths_and_bytes_give_equal_reports(
    conversion: PersonalizableModel, tmp_path: Path
) -> None:
    path = conversion.save(tmp_path / "model.tflite")
    assert (
        verify_contract(path) == verify_contract(str(path)) == verify_contract(conversion.content)
    )
    assert path.read_bytes() == conversion.content
