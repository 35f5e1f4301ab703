"""`automix style`, `library` and `visualize` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from library_sounds import encoder_file, sound_file
from typer.testing import CliRunner, Result

from styletransfer.cli import app

BUILTIN = ("--separator", "builtin", "-q")
CLOSED = (*BUILTIN, "--converter", "closed", "--no-polish")
"""A transfer by measures alone, since these styles are of a small encoder."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fine(*arguments: object) -> Result:
    done = run(*arguments)
    assert done.exit_code == 0, (arguments, done.stderr)
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three short songs, an encoder, a library of them, and a style's file."""
    root = tmp_path_factory.mktemp("styles")
    encoder = encoder_file(root)
    for seed, name in enumerate(("dark", "middle", "[bold]bright[/]")):
        sound_file(root / "songs" / f"{name}.wav".replace("/", "_"), seed, tilt=2.0 - seed)
    fine(
        "library",
        "add",
        root / "songs",
        "--library",
        root / "l.sqlite",
        "--encoder",
        encoder,
        *BUILTIN,
        "-t",
        "a",
    )
    fine(
        "style",
        "save",
        root / "songs" / "dark.wav",
        "-o",
        root / "dark.style.safetensors",
        "--encoder",
        encoder,
        *BUILTIN,
        "--title",
        "dusk",
    )
    return root


def library(folder: Path) -> tuple[object, ...]:
    return "--library", folder / "l.sqlite"


def encoder(folder: Path) -> tuple[object, ...]:
    return "--encoder", next(folder.glob("tiny-*.safetensors"))


def test_a_style_is_saved_and_shown(folder: Path) -> None:
    path = folder / "dark.style.safetensors"
    shown = fine("style", "show", path).stdout
    assert shown.startswith("dusk\n")
    assert "dark.wav" in shown
    assert "LUFS" in shown
    told = json.loads(fine("style", "show", path, "--json").stdout)["styles"][0]
    assert (told["title"], told["separator"]["name"]) == ("dusk", "builtin")
    again = run("style", "save", folder / "songs" / "dark.wav", "-o", path, *encoder(folder), *BUILTIN)
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_styles_are_mixed_by_file_and_by_name(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "both.style.safetensors"
    fine(
        "style",
        "mix",
        folder / "dark.style.safetensors",
        "middle",
        *library(folder),
        "-o",
        target,
        "--weights",
        ".7,.3",
    )
    assert "70% from dark.wav" in fine("style", "show", target).stdout


def test_the_library_lists_tags_and_forgets(folder: Path, tmp_path: Path) -> None:
    own = ("--library", tmp_path / "own.sqlite")
    added = fine(
        "library",
        "add",
        folder / "dark.style.safetensors",
        folder / "songs" / "middle.wav",
        *own,
        *encoder(folder),
        *BUILTIN,
    )
    assert [line.split()[0] for line in added.stdout.splitlines()] == ["added", "added"]
    again = fine("library", "add", folder / "songs", *own, *encoder(folder), *BUILTIN)
    assert [line.split()[0] for line in again.stdout.splitlines()] == ["added", "known", "known"]
    fine("library", "tag", "dusk", "#2", "--tag", "warm", *own)
    rows = json.loads(fine("library", "list", "--tag", "warm", "--json", *own).stdout)
    assert [row["title"] for row in rows] == ["dusk", "middle"]
    fine("library", "rm", "dusk", *own)
    assert "dusk" not in fine("library", "list", *own).stdout
    assert "[bold]bright[_]" in fine("library", "list", *own).stdout


def test_search_tells_distances_and_differences(folder: Path) -> None:
    for query in (folder / "songs" / "dark.wav", folder / "dark.style.safetensors", "dark"):
        done = fine("library", "search", query, *library(folder), *encoder(folder), *BUILTIN)
        lines = done.stdout.splitlines()
        assert len(lines) == 2  # not itself
        assert float(lines[0].split()[0]) <= float(lines[1].split()[0])
        assert "brighter" in done.stdout
    found = json.loads(
        fine(
            "library", "search", "dark", *library(folder), "--stem", "other", "-k", "1", "--json", *BUILTIN
        ).stdout
    )
    assert set(found[0]) == {"number", "title", "distance", "words"}


def test_export_and_back(folder: Path, tmp_path: Path) -> None:
    out = fine("library", "export", "-o", tmp_path / "out", *library(folder)).stdout.split("\n")[:-1]
    assert len(out) == 3
    assert all(Path(line).is_file() for line in out)
    own = ("--library", tmp_path / "own.sqlite")
    fine("library", "add", tmp_path / "out", *own, *encoder(folder), *BUILTIN)
    assert fine("library", "list", "--tag", "a", *own).stdout.count("[a]") == 3
    fine("library", "export", "dark", "-o", tmp_path / "styles.npz", *library(folder))
    with np.load(tmp_path / "styles.npz", allow_pickle=False) as arrays:
        assert arrays["embedding"].shape[0] == 1
    assert run("library", "export", "-o", tmp_path / "out", *library(folder)).exit_code == 2


def test_transfer_takes_a_style(folder: Path, tmp_path: Path) -> None:
    song = folder / "songs" / "middle.wav"
    for number, name in enumerate((folder / "dark.style.safetensors", "dark")):
        fine("transfer", song, "--style", name, *library(folder), "-o", tmp_path / f"{number}.wav", *CLOSED)
    fine("transfer", song, folder / "songs" / "dark.wav", "-o", tmp_path / "song.wav", *CLOSED)
    found = [soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("0", "1", "song")]
    for other in found[:2]:
        assert 10 * np.log10(np.square(other - found[2]).mean() / np.square(found[2]).mean() + 1e-30) < -80
    both = fine(
        "transfer",
        song,
        folder / "songs" / "middle.wav",
        "--style",
        "dark",
        *library(folder),
        "--weights",
        ".5,.5",
        "-o",
        tmp_path / "both.wav",
        "--json",
        *CLOSED,
    )
    assert [source["name"] for source in json.loads(both.stdout)["references"]] == ["middle.wav", "dark.wav"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("style", "show", "dak", "LIBRARY"), 2, "did you mean 'dark'"),
        (("style", "show", "SONGS/none.style.safetensors"), 2, "can't be read"),
        (("style", "save", "SONGS/none.wav"), 3, "does not exist"),
        (("style", "save", "SONGS/dark.wav", "-o", "SONGS/x.wav"), 2, ".style.safetensors"),
        (("style", "mix", "dark", "middle", "LIBRARY", "--weights", "a,b", "-o", "OUT"), 2, "--weights"),
        (("library", "list", "--library", "SONGS/none.sqlite"), 2, "there is no library"),
        (("library", "list", "--library", "SONGS/dark.wav"), 2, "no library"),
        (("library", "add", "SONGS/none", "LIBRARY"), 2, "does not exist"),
        (("library", "tag", "dark", "LIBRARY"), 2, "--tag"),
        (("library", "rm", "nothing", "LIBRARY"), 2, "no style"),
        (("library", "search", "SONGS/none.wav", "LIBRARY"), 3, "none.wav does not exist"),
        (("style", "show", "SONGS/dark.wav", "LIBRARY"), 3, "is a sound and no style"),
        (("library", "search", "dark", "--stem", "tambourine", "LIBRARY"), 2, "tambourine"),
        (("transfer", "SONGS/middle.wav", "--style", "nothing", "LIBRARY", "-o", "OUT.wav"), 2, "no style"),
        (("transfer", "--style", "dark", "LIBRARY", "-o", "OUT.wav"), 2, "input"),
        (("visualize", "library", "--library", "SONGS/none.sqlite", "-o", "a.png"), 2, "there is no library"),
        (("visualize", "SONGS/none/", "-o", "a.png"), 2, "no folder"),
        (("visualize", "SONGS", "--colour", "mood", "-o", "a.png"), 2, "mood"),
        (("visualize", "SONGS", "--method", "magic", "-o", "a.png"), 2, "magic"),
        (("visualize", "SONGS", "-o", "a.gif"), 2, ".png or .svg or .html"),
        (("visualize", "SONGS", "--stem", "drums", "-o", "a.png"), 2, "--stem is for styles"),
    ],
)
def test_errors_are_one_sentence(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    typed = [
        part
        for argument in arguments
        for part in (
            map(str, library(folder))
            if argument == "LIBRARY"
            else (
                argument.replace("SONGS", str(folder / "songs")).replace(
                    "OUT", str(tmp_path / "out.style.safetensors")
                ),
            )
        )
    ]
    before = sorted(folder.rglob("*"))
    done = run(*typed)
    assert done.exit_code == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert sorted(folder.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_another_encoders_library_is_told(folder: Path, tmp_path: Path) -> None:
    other = encoder_file(tmp_path, seed=1)
    done = run(
        "library", "search", folder / "songs" / "dark.wav", *library(folder), "--encoder", other, *BUILTIN
    )
    assert done.exit_code == 2
    assert "add their songs again" in done.stderr
    done = run(
        "library",
        "add",
        folder / "dark.style.safetensors",
        "--library",
        tmp_path / "own.sqlite",
        "--encoder",
        other,
        *BUILTIN,
    )
    assert done.exit_code == 3
    assert "save it again from its song" in done.stderr


def test_what_cannot_be_used_is_told_and_the_rest_is_kept(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a\x1b[2J.wav").write_bytes(b"no sound")
    (tmp_path / "in" / "b.wav").write_bytes((folder / "songs" / "dark.wav").read_bytes())
    done = run(
        "library", "add", tmp_path / "in", "--library", tmp_path / "l.sqlite", *encoder(folder), *BUILTIN
    )
    assert done.exit_code == 3
    assert "1 of 2 files" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "added" in done.stdout


@pytest.mark.parametrize("colour", ["folder", "tag", "stem", "cluster"])
def test_visualize_draws_libraries(folder: Path, tmp_path: Path, colour: str) -> None:
    picture, page = tmp_path / "map.png", tmp_path / "map.html"
    done = fine(
        "visualize",
        "library",
        *library(folder),
        *encoder(folder),
        "-o",
        picture,
        "-o",
        page,
        "--colour",
        colour,
        "--stem",
        "all",
        "--method",
        "pca",
        "-q",
    )
    assert done.stdout.split() == [str(picture), str(page)]
    text = page.read_text(encoding="utf-8")
    assert text.count('class="spot') >= 9  # the voice may be silent
    assert text.count("data:audio/ogg") == 3
    assert "<bold>" not in text
    again = run("visualize", "library", *library(folder), *encoder(folder), "-o", picture, "-q")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_visualize_draws_folders_and_styles_together(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    fine("visualize", folder / "songs", "-o", page, "--audio-mb", "0", *encoder(folder), "-q")
    assert "data:audio" not in page.read_text(encoding="utf-8")
    fine(
        "visualize",
        folder / "dark.style.safetensors",
        "middle",
        "#3",
        *library(folder),
        *encoder(folder),
        "-o",
        tmp_path / "map.svg",
        "-q",
    )


def test_a_sound_that_cannot_be_drawn_is_left_out_of_the_map_and_told(folder: Path, tmp_path: Path) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    for path in (folder / "songs").iterdir():
        (songs / path.name).write_bytes(path.read_bytes())
    (songs / "broken.wav").write_bytes(b"no sound")
    soundfile.write(songs / "silent.wav", np.zeros((44_100, 2)), 44_100)
    done = fine("visualize", songs, "-o", tmp_path / "map.png", *encoder(folder))
    told = [line for line in done.stderr.splitlines() if line.startswith("left out: ")]
    assert len(told) == 2
    assert "broken.wav" in told[0]
    assert "silent" in told[1]
    for path in list(songs.iterdir())[:2]:
        path.write_bytes(b"no sound")
    done = run("visualize", songs, "-o", tmp_path / "few.png", *encoder(folder), "-q")
    assert done.exit_code == 3
    assert "a picture needs at least 3, since" in done.stderr
    assert not (tmp_path / "few.png").exists()


def test_commands_have_examples_and_groups() -> None:
    text = run("--help").stdout
    assert "Styles" in text
    for group, commands in {
        "style": ("save", "show", "mix"),
        "library": ("add", "list", "tag", "rm", "search", "export"),
    }.items():
        for command in commands:
            assert f"Example: automix {group} {command}" in run(group, command, "--help").stdout
