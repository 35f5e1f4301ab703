"""`automix interpolate`, and what `automix transfer` takes of several references, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner, Result

from styletransfer.cli import app
from styletransfer.files import read

BUILTIN = ("--separator", "builtin", "-q")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def three(songs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("three")
    paths = []
    for name in ("input", "reference", "vocal"):
        excerpt = read(songs[name]).excerpt(3.0, 7.0)
        paths.append(excerpt.write(folder / f"{name}.wav", subtype="PCM_16"))
    return paths[0], paths[1], paths[2]


def test_steps_and_the_picture_of_the_way(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    done = run(
        "interpolate",
        *three,
        "--steps",
        3,
        "-o",
        tmp_path / "x.wav",
        "--plot",
        tmp_path / "way.png",
        *BUILTIN,
    )
    assert done.exit_code == 0, done.stderr
    names = [Path(line).name for line in done.stdout.split()]
    assert names == ["way.png", "x-0.wav", "x-0.5.wav", "x-1.wav"]
    assert (tmp_path / "way.png").stat().st_size > 20_000
    assert {soundfile.info(tmp_path / name).frames for name in names[1:]} == {soundfile.info(three[0]).frames}


def test_what_is_to_be_known_of_a_way_is_said_once(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    samples, rate = soundfile.read(three[0])
    clipped = tmp_path / "clipped.wav"
    soundfile.write(clipped, (4 * samples).clip(-0.99, 0.99), rate)
    for asked in (("--steps", 2), ("--plot", tmp_path / "way.png")):
        output = ("-o", tmp_path / "x.wav", "--separator", "builtin")
        done = run("interpolate", clipped, *three[1:], *asked, *output)
        assert done.exit_code == 0, done.stderr
        codes = [line.split(":")[0] for line in done.stderr.splitlines()]
        assert codes.count("clipping-baked") == 1


def test_a_sweep_that_cannot_be_is_refused_before_anything_is_heard(
    three: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("styletransfer.interpolation.interpolating.hear", None)
    for asked in (("--sweep",), ("--plot", tmp_path / "way.png")):
        done = run("interpolate", *three, *asked, "--converter", "tcn", "--space", "embedding", *BUILTIN)
        assert done.exit_code == 2
        assert "sets no knobs" in done.stderr


def test_stems_follow_one_reference_all_the_way(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    strips = {}
    for name, given in (("free", []), ("pinned", ["--stem", "other=B"]), ("end", [])):
        at = ("--at", 1 if name == "end" else 0.5)
        saved = ("-o", tmp_path / f"{name}.wav", "--save", tmp_path / name)
        done = run("interpolate", *three, *at, *given, *saved, "--no-gate", *BUILTIN)
        assert done.exit_code == 0, done.stderr
        document = json.loads((tmp_path / name / "result.json").read_text(encoding="utf-8"))
        strips[name] = document["console"]
    pinned = json.loads((tmp_path / "pinned" / "result.json").read_text(encoding="utf-8"))["references"]
    assert [told["name"] for told in pinned if told["stem"] == "other"] == [three[2].name]
    assert strips["pinned"]["drums"]["eq"] == pytest.approx(strips["free"]["drums"]["eq"], abs=0.01)

    def missed_db(name: str) -> float:
        sides = (strips[name]["other"]["eq"], strips["end"]["other"]["eq"])
        return sum(abs(sides[0][knob] - sides[1][knob]) for knob in sides[0] if knob.endswith("gain_db"))

    assert missed_db("pinned") < 0.05 < missed_db("free")


def test_stems_that_arent_there_are_refused(
    three: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for given, said in (
        ("flute=A", "flute"),
        ("vocals", "--stem"),
        ("vocals=nowhere.wav", "nowhere.wav"),
        ("vocals=A", "rename"),
    ):
        if said == "rename":
            (tmp_path / "A").touch()
        done = run("interpolate", *three, "--at", 0.5, "--stem", given, "-o", tmp_path / "x.wav", *BUILTIN)
        assert done.exit_code != 0
        assert said in done.stderr
        assert not (tmp_path / "x.wav").exists()


def test_one_point_is_saved_with_its_references(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    done = run(
        "interpolate",
        *three,
        *("--at", 0.25, "-o", tmp_path / "x.wav", "--save", tmp_path / "s", "--lock", "bass"),
        *BUILTIN,
    )
    assert done.exit_code == 0, done.stderr
    document = json.loads((tmp_path / "s" / "result.json").read_text(encoding="utf-8"))
    assert [(told["name"], told["weight"]) for told in document["references"]] == [
        ("reference.wav", 0.75),
        ("vocal.wav", 0.25),
    ]
    assert document["console"]["bass"]["gain"]["gain_db"] == 0
    again = run("apply", tmp_path / "s" / "result.json", three[0], "-o", tmp_path / "again.wav", "-q")
    assert again.exit_code == 0
    first, second = (read(tmp_path / name).samples for name in ("x.wav", "again.wav"))
    assert float((first - second).abs().max()) < 1e-3


def test_a_sweep_is_one_file_like_the_input(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    done = run("interpolate", *three, "--sweep", "-o", tmp_path / "x.flac", *BUILTIN)
    assert done.exit_code == 0, done.stderr
    info = soundfile.info(tmp_path / "x.flac")
    assert (info.frames, info.subtype) == (soundfile.info(three[0]).frames, "PCM_16")


def test_several_references_and_stems_of_their_own(three: tuple[Path, Path, Path], tmp_path: Path) -> None:
    done = run(
        "transfer",
        *three,
        *("--weights", ".7,.3", "--stem", f"vocals={three[1]},drums={three[2]}", "--lock", "bass,master"),
        *("-o", tmp_path / "x.wav", "--json"),
        *BUILTIN,
    )
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert [(told["name"], told["weight"], told["stem"]) for told in document["references"]] == [
        ("reference.wav", pytest.approx(0.7), None),
        ("vocal.wav", pytest.approx(0.3), None),
        ("vocal.wav", 1.0, "drums"),
        ("reference.wav", 1.0, "vocals"),
    ]
    assert document["asked"]["lock"] == ["bass", "master"]


@pytest.mark.parametrize(
    ("command", "arguments", "word"),
    [
        ("transfer", ["--weights", "1"], "weights"),
        ("transfer", ["--weights", "much,more"], "--weights"),
        ("transfer", ["--stem", "choir=a.wav"], "no stem 'choir'"),
        ("transfer", ["--stem", "vocals"], "--stem"),
        ("transfer", ["--lock", "choir"], "lock"),
        ("transfer", ["--ref-range", "0-1"], "passage"),
        ("interpolate", [], "--at"),
        ("interpolate", ["--at", ".5", "--sweep"], "one of"),
        ("interpolate", ["--steps", "3", "--save", "folder"], "--save"),
        ("interpolate", ["--at", ".5", "--space", "latent"], "space"),
        ("interpolate", ["--at", ".5", "--plot", "way.txt"], "picture"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(
    three: tuple[Path, Path, Path], tmp_path: Path, command: str, arguments: list[str], word: str
) -> None:
    done = run(command, *three, "-o", tmp_path / "x.wav", *BUILTIN, *arguments)
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert word in done.stderr
    assert list(tmp_path.iterdir()) == []
