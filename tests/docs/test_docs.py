"""The pages that mkdocs builds: all are there, links lead somewhere, the reference covers every command."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import typer

from styletransfer.cli import app
from styletransfer.cli.preferences import commands_of

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "checkpoints" / "README.md", *sorted(DOCS.glob("*.md"))]


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """What mkdocs calls, loaded as mkdocs does."""
    spec = importlib.util.spec_from_file_location("docs_hooks", DOCS / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_navigation_has_every_page_once(hooks: ModuleType) -> None:
    named = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == {path.name for path in DOCS.glob("*.md")} | set(hooks.GENERATED)


def test_the_reference_covers_every_command_with_its_options_and_example(hooks: ModuleType) -> None:
    text = hooks.command_reference()
    sections = {
        part.partition("`")[0]: part for part in re.split(r"^#+ `automix ?", text, flags=re.MULTILINE)
    }
    for words, options in commands_of(typer.main.get_command(app)).items():
        section = sections[" ".join(words)]
        assert f"```sh\nautomix {' '.join(words)}" in section
        for option in options:
            assert re.search(rf"`[^`]*--?{option}\b", section), (words, option)


def test_lists_of_commands_have_whole_sentences(hooks: ModuleType) -> None:
    listed = re.findall(r"^\* `[a-z]+`: (.+)$", hooks.command_reference(), re.MULTILINE)
    assert len(listed) > 25
    assert [sentence for sentence in listed if not sentence.endswith(".") or sentence.endswith("...")] == []


def test_model_cards_and_results_are_read_from_where_they_are_kept(hooks: ModuleType) -> None:
    cards = hooks.model_cards()
    for weights in (ROOT / "checkpoints").glob("*.safetensors"):
        assert weights.stem.rpartition("-")[0] in cards
    assert "| Matchering |" in hooks.results()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path, hooks: ModuleType) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        found = (page.parent / target).exists() or (page.parent == DOCS and target in hooks.GENERATED)
        assert found, target


def test_the_pages_load_nothing_from_elsewhere() -> None:
    told = (ROOT / "mkdocs.yml").read_text(encoding="utf-8") + (DOCS / "pages.css").read_text(
        encoding="utf-8"
    )
    assert "font: false" in told
    assert "http" not in told


def test_the_container_installs_as_readme_says() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (installed,) = re.findall(r"^RUN (.*)$", dockerfile, re.MULTILINE)
    assert installed.replace(" --no-cache-dir", "") + " " in (ROOT / "README.md").read_text(encoding="utf-8")
    needed = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert all((ROOT / name).exists() for name in needed)
    assert {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "constraints.txt"} < set(needed)
