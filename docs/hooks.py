"""What mkdocs adds to these pages: the command reference, read from the program, and the model cards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def command_reference() -> str:
    """Every command with its arguments, options and example, as Markdown."""
    import typer
    from typer.cli import get_docs_for_click

    from styletransfer.cli import app

    command = typer.main.get_command(app)
    _tell_whole(command)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="automix", title="Commands")
    lines = []
    for line in text.splitlines():
        if line.startswith("Example: "):
            line = f"```sh\n{line.removeprefix('Example: ')}\n```"
        lines.append(line)
    return "\n".join(lines)


def _tell_whole(command: Any) -> None:
    """Lists of commands with whole sentences: click would cut them off."""
    for one in getattr(command, "commands", {}).values():
        one.short_help = (one.help or "").partition("\n\n")[0].replace("\n", " ")
        _tell_whole(one)


def model_cards() -> str:
    """What is said of the weights, with links as they are from here."""
    return (ROOT / "checkpoints" / "README.md").read_text(encoding="utf-8").replace("](../docs/", "](")


def results() -> str:
    """What README says was measured."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    start, end = (
        text.index(f"\n## {heading}\n") for heading in ("How close it comes", "Styles that you keep")
    )
    cards = text[start:end].replace("](checkpoints/README.md)", "](model-cards.md)")
    return "# Results\n" + cards.replace("](docs/", "](")


GENERATED = {"commands.md": command_reference, "model-cards.md": model_cards, "results.md": results}


def on_files(files: Any, config: Any) -> Any:
    """Called by mkdocs when it has found the pages."""
    from mkdocs.structure.files import File

    for name, written in GENERATED.items():
        files.append(File.generated(config, name, content=written()))
    return files
