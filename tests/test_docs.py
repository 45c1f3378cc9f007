"""The documentation says what is true: its commands run, and its lists are whole."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

import sartor
from sartor.cli import main
from sartor.flatbuffer import read
from sartor.heads import Head
from sartor.losses import Huber
from sartor.optimizers import Optimizer

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
PHOTOS = SHARED / "data" / "clothing"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"{SHARED} is not there: the README is not run"
)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README speaks of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, photo in (("hat1", "hat/0000"), ("hat2", "hat/0001"), ("shoe1", "shoes/0000")):
        shutil.copy(PHOTOS / "train" / f"{photo}.jpg", f"{name}.jpg")
    shutil.copy(PHOTOS / "validation" / "hat" / "0000.jpg", "new.jpg")
    for label in ("hat", "shoes"):
        for folder, part in (("photos", "train"), ("more-photos", "validation")):
            Path(folder, label).mkdir(parents=True)
            for path in sorted((PHOTOS / part / label).iterdir())[:6]:
                shutil.copy(path, Path(folder, label))
    return tmp_path


def run_commands(page: str) -> None:
    (commands,) = blocks(page, "sh")
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "sartor"
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert not stopped.value.code, line


@needs_shared
def test_the_five_lines_of_the_readme_run(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("README.md", "python")
    exec(compile(code, "README.md", "exec"), {})
    assert "label='hat'" in capsys.readouterr().out
    assert (desk / "mine.safetensors").exists()


@needs_shared
def test_the_commands_of_the_readme_run(desk: Path) -> None:
    run_commands("README.md")
    assert (desk / "mine.tflite").exists()


@needs_shared
def test_the_page_of_the_library_runs(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, part in (("photos", "train"), ("more-photos", "validation")):
        for path in Path(folder).glob("*/*"):
            path.unlink()
        for label in ("hat", "shoes"):
            for number, path in enumerate(sorted((PHOTOS / part / label).iterdir())[:6]):
                shutil.copy(path, Path(folder, label, f"{number:04}.jpg"))
    code = "".join(blocks("docs/library.md", "python"))
    exec(compile(code, "library.md", "exec"), {})
    assert "for the head" in capsys.readouterr().out
    for name in ("mine.safetensors", "mine.samples"):
        Path(name).unlink()
    run_commands("docs/library.md")
    assert Path("moved", "checkpoint.samples").exists()
    assert Path("loss.png").exists()


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def listed_ops() -> set[str]:
    text = (ROOT / "docs" / "contract.md").read_text()
    table = text.split("<!-- ops of the contract", 1)[1].split("\n\n")[0]
    return set(re.findall(r"\b[A-Z][A-Z0-9_]{2,}\b", table))


@pytest.mark.parametrize(
    "head",
    [
        sartor.SoftmaxClassifier(l2=0.1, label_smoothing=0.1),
        sartor.SoftmaxClassifier(normalize=True),
        sartor.CosineClassifier(),
        sartor.MLP(l2=0.1),
        sartor.MLP(dropout=0.3),
        sartor.MultiLabelClassifier(),
        sartor.Regressor(),
        sartor.Regressor(loss=Huber()),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "optimizer",
    [
        sartor.SGD(momentum=0.9, nesterov=True, weight_decay=0.1, clip_norm=1.0),
        sartor.Adam(clip_norm=1.0),
        sartor.AdamW(),
        sartor.RMSprop(momentum=0.9),
    ],
    ids=str,
)
def test_the_contract_lists_every_op_that_a_head_brings(head: Head, optimizer: Optimizer) -> None:
    base = ROOT / "contract" / "cases" / "two_inputs.tflite"
    model = read(sartor.convert(base, classes=3, head=head, optimizer=optimizer).content)
    used = {op.code for graph in model.graphs if graph.name != "infer" for op in graph.ops}
    assert used <= listed_ops(), used - listed_ops()
