"""The line that STYLE draws: imports point down, and only one room knows demucs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("styletransfer", "encoder", "converter", "cli", "checkpoints")
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
FORBIDDEN = {"torchaudio", "torchcodec", "pedalboard", "torchfx", "matchering", "librosa"}


def imports(path: Path) -> set[str]:
    """The full names that a module imports from, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    names = imports(path)
    tops = {name.split(".")[0] for name in names}
    assert not tops & FORBIDDEN
    if "demucs" in tops:
        assert path.relative_to(ROOT).as_posix() == "styletransfer/separation/htdemucs.py"
    if room in ("encoder", "converter"):
        assert not {name for name in names if name.startswith("styletransfer")}
        assert not tops & {"typer", "soundfile", "rich", "pathlib"}
    if room == "styletransfer":
        assert not {name for name in names if name.startswith("styletransfer.cli")}
        assert not tops & {"typer", "rich"} or path.parent.name == "evaluation"


PAGES = [ROOT / "README.md", ROOT / "checkpoints" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE = ("commands.md", "model-cards.md", "results.md")  # by docs/hooks.py


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    for link in links:
        if "://" in link:
            continue
        target = (page.parent / link).resolve()
        if page.parent.name == "docs":  # as pages they know nothing outside
            assert target.is_relative_to(page.parent), link
            assert target.exists() or link in MADE, link
        else:
            assert target.exists(), link


def test_every_folder_with_code_is_in_the_wheel() -> None:
    if sys.version_info < (3, 11):
        pytest.skip("tomllib came with Python 3.11")
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(project["tool"]["setuptools"]["packages"])
    folders = {path.parent.relative_to(ROOT) for path in MODULES}
    needed = {
        ".".join(folder.parts if folder.parts[0] == "styletransfer" else ("styletransfer", *folder.parts))
        for folder in folders
    }
    assert listed == needed


def test_help_needs_no_torch() -> None:
    code = (
        "import sys, styletransfer.cli as c; c.app(['--help'], standalone_mode=False); assert 'torch' not in "
    )
    subprocess.run([sys.executable, "-c", code + "sys.modules"], check=True, capture_output=True)
