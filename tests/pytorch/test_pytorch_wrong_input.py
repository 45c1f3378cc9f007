"""Errors of PyTorch bases state the problem and the remedy."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import NEEDED

pytest.importorskip("litert_torch", reason=NEEDED)

import torch
from networks import Network, Numbers, Text

from sartor.bases import PyTorch
from sartor.errors import ConversionError

IMAGE = torch.zeros(1, 3, 32, 32)
ROW = torch.zeros(1, 12)


def _branch(x: torch.Tensor) -> torch.Tensor:
    return x * 2 if x.sum() > 0 else x


MODULES = [
    ("no inputs", Network(), None, r"Network needs example_inputs.*got NoneType"),
    ("no tensors", Network(), ("x",), r"needs example_inputs.*got str"),
    ("no batch", Network(), torch.tensor(1.0), r"needs example_inputs"),
    ("nothing", Network(), (), r"needs example_inputs.*got none"),
    ("other shape", Network(), torch.zeros(1, 4, 8, 8), r"cannot be run on torch.float32 \[1, 4"),
    ("too few", Text(), torch.zeros(1, 6), r"Text cannot be run on .*mask"),
    ("no module", {"weights": 1}, IMAGE, r"takes a torch.nn.Module.*got dict"),
    ("a class", Network, IMAGE, r"takes a torch.nn.Module.*got type"),
    ("TorchScript", torch.jit.trace(Numbers(), ROW), ROW, r"takes a torch.nn.Module.*got Top"),
    ("an op", Numbers(torch.special.bessel_j0), ROW, r"aten.special_bessel_j0.*networks.py, line"),
    ("complex numbers", Numbers(lambda x: torch.fft.fft(x).real), ROW, r"cannot convert aten\.\w+"),
    ("no kernel", Numbers(lambda x: torch.sort(x)[0]), ROW, r"LiteRT cannot run .*STABLEHLO_SORT"),
    ("a branch", Numbers(_branch), ROW, r"litert-torch cannot convert Numbers: .*data-dependent"),
]


@pytest.mark.parametrize(
    ("case", "module", "inputs", "message"), MODULES, ids=[m[0] for m in MODULES]
)
def test_invalid_modules_are_refused(case: str, module: Any, inputs: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message) as error_info:
        PyTorch(module, inputs).load()
    assert "\n" not in str(error_info.value)


class _Harmful:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.folder = path.with_name("harm")

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def _exported(path: Path, **settings: Any) -> None:
    program = torch.export.export(Numbers().eval(), (ROW,))
    torch.export.save(program, path, **settings)


def _rewritten(path: Path, change: Callable[[str, bytes], bytes], extra: str = "") -> None:
    """Write an exported program with changed content."""
    _exported(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change(name, content))
        if extra:
            archive.writestr(f"{next(iter(parts)).partition('/')[0]}/{extra}", b"")


def _harmful(path: Path) -> None:
    pickle_path = path.with_suffix(".bin")
    torch.save((_Harmful(path),), pickle_path)
    _rewritten(path, lambda name, old: pickle_path.read_bytes() if "sample_inputs" in name else old)


def _truncated(path: Path) -> None:
    _exported(path)
    path.write_bytes(path.read_bytes()[:-1000])


def _in_training(path: Path) -> None:
    torch.export.save(torch.export.export(Network().train(), (torch.rand(2, 3, 32, 32),)), path)


def _by_keyword(path: Path) -> None:
    program = torch.export.export(Numbers().eval(), (), {"x": ROW})
    torch.export.save(program, path)


FILES: list[tuple[str, Callable[[Path], object], str]] = [
    ("text", lambda path: path.write_text("no model"), "not an exported program"),
    ("empty", lambda path: path.write_bytes(b""), "not an exported program"),
    ("truncated", _truncated, "damaged"),
    (
        "no graph",
        lambda path: _rewritten(path, lambda name, old: b"{}" if "models/" in name else old),
        r"cannot be read by PyTorch \d.*damaged, or was written by another version",
    ),
    (
        "state dict",
        lambda path: torch.save(Numbers().state_dict(), path),
        r"is a pickle.*weights without a graph.*torch.export.save",
    ),
    (
        "old state dict",
        lambda path: torch.save(Numbers().state_dict(), path, _use_new_zipfile_serialization=False),
        "is a pickle",
    ),
    ("whole module", lambda path: torch.save(_Harmful(path), path), "is a pickle"),
    (
        "TorchScript",
        lambda path: torch.jit.trace(Numbers(), ROW).save(str(path)),
        r"TorchScript.*torch.export.save",
    ),
    ("harmful pickle", _harmful, "cannot be read"),
    (
        "compiled code",
        lambda path: _rewritten(path, lambda _, old: old, "data/aotinductor/model/x.so"),
        r"contains code.*x\.so.*refused",
    ),
    ("training mode", _in_training, r"training mode \(aten.batch_norm.*model.eval\(\)"),
    ("by keyword", _by_keyword, r"keyword inputs \(x\)"),
]


@pytest.mark.parametrize(("case", "make", "message"), FILES, ids=[file[0] for file in FILES])
def test_invalid_files_are_refused(
    case: str, make: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.pt2"
    make(path)
    with pytest.raises(ConversionError, match=message) as error_info:
        PyTorch(path).load()
    assert "\n" not in str(error_info.value)
    assert not (tmp_path / "harm").exists()


def test_a_missing_file_raises_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PyTorch(tmp_path / "none.pt2").load()
