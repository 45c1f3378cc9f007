"""The documentation: its code and commands run, its links resolve, its tables are complete."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

import sartor
from sartor.cli import main
from sartor.demo import write_sample_photos
from sartor.flatbuffer import read
from sartor.heads import Head
from sartor.losses import Huber
from sartor.optimizers import Optimizer

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]

RUN_BY = {
    "README.md": "tests/test_docs.py",
    "docs/add-a-gradient.md": "tests/ops/test_op_docs.py",
    "docs/bases.md": "tests/bases/test_docs_of_bases.py",
    "docs/from-2019.md": "tests/test_migration_docs.py",
    "docs/from-on-device-training.md": "tests/test_migration_docs.py",
    "docs/heads.md": "tests/heads/test_keras_head.py",
    "docs/inspect.md": "tests/inspect/test_inspect_page.py",
    "docs/library.md": "tests/test_docs.py",
    "docs/pytorch.md": "tests/pytorch/test_page.py",
    "docs/quantize.md": "tests/test_docs.py",
    "docs/starter.md": "tests/test_docs.py",
}
"""Page → the test that runs its ```python and ```sh blocks. A block that no test runs has the line
`<!-- not run: reason -->` above it."""

BUILT = {"web/node_modules/"}
"""Paths that pages name and that a command creates."""

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"{SHARED} does not exist: the pages that need photos are not run"
)


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a page that are meant to run."""
    text = (ROOT / page).read_text()
    fence = rf"^(<!-- not run: .* -->\n)?```{language}\n(.*?)^```"
    matches = re.findall(fence, text, flags=re.DOTALL | re.MULTILINE)
    return [code for mark, code in matches if not mark]


def run_code(page: str) -> None:
    """Run the Python blocks of a page, one after another, in one namespace."""
    scope: dict[str, object] = {"sartor": sartor}
    for code in blocks(page, "python"):
        exec(compile(code, page, "exec"), scope)


def run_commands(page: str) -> None:
    """Run the commands of a page, one after another."""
    for line in "".join(blocks(page, "sh")).splitlines():
        program, *arguments = shlex.split(line)
        assert program == "sartor"
        with pytest.raises(SystemExit) as exit_info:
            main(arguments)
        assert not exit_info.value.code, line


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a folder with the photos that the pages name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_sample_photos(tmp_path)
    return tmp_path


def test_readme_runs(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_code("README.md")
    assert "label='hat'" in capsys.readouterr().out
    assert (desk / "mine.safetensors").exists()
    run_commands("README.md")
    assert (desk / "mine.tflite").exists()


def test_page_of_the_library_runs(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_code("docs/library.md")
    assert "for the head" in capsys.readouterr().out
    for name in ("mine.safetensors", "mine.samples"):
        Path(name).unlink()
    run_commands("docs/library.md")
    assert Path("moved", "checkpoint.samples").exists()
    assert Path("loss.png").exists()


def test_page_of_the_starter_base_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_code("docs/starter.md")
    run_commands("docs/starter.md")


@needs_shared
def test_page_of_quantization_runs(desk: Path) -> None:
    pytest.importorskip("ai_edge_quantizer")
    shutil.copy(SHARED / "models" / "vww_96_float.tflite", "base.tflite")
    run_code("docs/quantize.md")
    run_commands("docs/quantize.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_of_a_page_run_or_state_why_not(page: Path) -> None:
    name = str(page.relative_to(ROOT))
    if blocks(name, "python") or blocks(name, "sh"):
        assert name in RUN_BY, f"{name}: name the test that runs it in RUN_BY, or mark its blocks"
        assert Path(name).name in (ROOT / RUN_BY[name]).read_text()


def commands() -> list[tuple[str, str]]:
    """Return each `sartor` command of all pages with its page, those in sessions included."""
    line = re.compile(r"^(?:\$ |)(sartor [a-z].*)$", re.MULTILINE)
    return [(page.name, each) for page in PAGES for each in line.findall(page.read_text())]


@pytest.mark.parametrize(("page", "line"), commands())
def test_options_of_a_command_exist(
    page: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, command, *arguments = shlex.split(line)
    with pytest.raises(SystemExit) as exit_info:
        main([command, "--help"])
    assert not exit_info.value.code, f"{page}: sartor {command}"
    text = capsys.readouterr().out
    for option in arguments:
        if re.match(r"--?[a-z]", option):
            assert re.search(rf"(^|\s){option}\b", text), f"{page}: sartor {command} {option}"


def test_links_resolve() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub derives them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_to_headings_resolve() -> None:
    for page in PAGES:
        for link, anchor in re.findall(r"\]\(([^):#]*)#([^)]+)\)", page.read_text()):
            target = page.parent / link if link else page
            assert anchor in anchors(target), f"{page.name}: {link}#{anchor}"


def paths(page: Path) -> set[str]:
    """Return the paths of the repository that a page names in code font."""
    folders = "src|tests|docs|contract|web|tools|benchmarks|examples"
    return set(re.findall(rf"`((?:{folders})/[\w./-]*)`", page.read_text())) - BUILT


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_that_a_page_names_exist(page: Path) -> None:
    for path in paths(page):
        assert (ROOT / path).exists(), f"{page.name}: {path}"


def tree_of_architecture() -> set[str]:
    """Return the paths below src/sartor that docs/architecture.md draws."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawing = page.split("```text", 1)[1].split("```", 1)[0]
    parents: list[str] = []
    paths = set()
    for indent, name in re.findall(r"^([│ ]*)[├└]── (\S+)", drawing, re.MULTILINE):
        del parents[len(indent) // 4 :]
        paths.add("".join([*parents, name]))
        parents.append(name)
    return paths


def test_architecture_draws_every_package_and_module() -> None:
    source = ROOT / "src" / "sartor"
    packages = {f"{each.parent.relative_to(source)}/" for each in source.glob("*/**/__init__.py")}
    modules = {each.name for each in source.glob("*.py") if not each.name.startswith("__")}
    assert tree_of_architecture() == packages | modules


@pytest.mark.parametrize(
    ("contract", "heading"),
    [
        ("Each layer knows only those below it", "## The layers"),
        ("The layers of the device runtime", "Inside `runtime`"),
    ],
)
def test_architecture_lists_the_layers_of_import_linter(contract: str, heading: str) -> None:
    text = (ROOT / "pyproject.toml").read_text().split(f'name = "{contract}"', 1)[1]
    layers = re.findall(r'"([^"]+)",', text.split("layers = [", 1)[1].split("\n]", 1)[0])
    page = (ROOT / "docs" / "architecture.md").read_text().split(heading, 1)[1]
    position = 0
    for layer in layers:
        names = [f"`{name}`" for name in layer.split(" | ") if name != "_version"]
        assert all(name in page[position:] for name in names), layer
        position += min(page[position:].index(name) for name in names)


def test_terms_of_the_glossary_are_sorted() -> None:
    for table in (ROOT / "docs" / "glossary.md").read_text().split("\n## ")[1:]:
        terms = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]
        keys = [re.sub(r"[^a-z ]", "", term.lower()) for term in terms if "---" not in term]
        assert keys == sorted(keys)


def listed_ops() -> set[str]:
    text = (ROOT / "docs" / "contract.md").read_text()
    table = text.split("<!-- ops of the contract", 1)[1].split("\n\n")[0]
    return set(re.findall(r"\b[A-Z][A-Z0-9_]{2,}\b", table))


@pytest.mark.parametrize(
    "head",
    [
        sartor.SoftmaxClassifier(label_smoothing=0.1),
        sartor.CosineClassifier(),
        sartor.MLP(),
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
def test_contract_lists_every_op_of_a_head(head: Head, optimizer: Optimizer) -> None:
    base = ROOT / "contract" / "cases" / "two_inputs.tflite"
    model = read(sartor.convert(base, classes=3, head=head, optimizer=optimizer).content)
    codes = {op.code for graph in model.graphs if graph.name != "infer" for op in graph.ops}
    assert codes <= listed_ops(), codes - listed_ops()
