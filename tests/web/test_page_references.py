"""What a page takes as references besides whole songs: kept styles, and songs for single stems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serving import Page, excerpt, noise, server

from styletransfer.library import Library, Listener, save_style
from styletransfer.web import Means

LENGTH_S = 1.5


@pytest.fixture(scope="module")
def style(songs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A style in a file, and in a library beside it."""
    folder = tmp_path_factory.mktemp("styles")
    song = excerpt(songs["reference"], folder / "song.wav", 8, LENGTH_S)
    heard = Listener.of(separator="builtin").hear(song, title="<b>warm</b>")
    with Library(folder / "library.sqlite") as library:
        library.add(heard, file_sha256="0" * 64, path=song)
    return save_style(folder / "warm.style.safetensors", heard)


@pytest.fixture(scope="module")
def page(style: Path, songs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with an input, whose server offers the library."""
    folder = tmp_path_factory.mktemp("songs")
    with server(means=Means("builtin", library=style.parent / "library.sqlite")) as port:
        page = Page(port)
        page.drop("input", excerpt(songs["input"], folder / "input.wav", 8, LENGTH_S))
        page.drop("reference", excerpt(songs["electronic"], folder / "other.wav", 8, LENGTH_S))
        yield page


def document_of(page: Page) -> dict[str, Any]:
    """The settings of what a page transferred."""
    page.work("POST", "/download", {"kind": "result"})
    body = page.work("GET", f"/files/{page.wait()['download']}").body
    document: dict[str, Any] = json.loads(body)
    return document


def test_a_style_and_a_stems_reference_make_a_transfer(page: Page, style: Path) -> None:
    told = page.drop("reference", style).told
    assert (told["style"], told["duration_s"]) == (True, 0.0)
    assert told["name"] == "<b>warm</b>"
    other = next(s["key"] for s in page.work("GET", "").told["sounds"] if s["name"] == "other.wav")
    wish = {"weights": {told["key"]: 1.0}, "stems": {"drums": other}}
    assert page.work("POST", "/transfer", wish).status == 200
    assert page.wait()["job"]["error"] is None
    assert b"<b>warm" not in page.work("GET", "/desk").body
    by_name = {one["name"]: one for one in document_of(page)["references"]}
    assert by_name["other.wav"]["stem"] == "drums"
    assert len(by_name) == 2


def test_the_way_leaves_a_stems_own_reference_alone(page: Page) -> None:
    keys = {sound["name"]: sound["key"] for sound in page.work("GET", "").told["sounds"]}
    ends = [keys["<b>warm</b>"], keys["other.wav"]]
    wish = {"weights": dict.fromkeys(ends, 1.0), "stems": {"drums": ends[1]}}
    assert page.work("POST", "/transfer", wish).status == 200
    assert page.wait()["job"]["error"] is None
    assert page.work("POST", "/way").status == 200
    assert page.wait()["job"]["error"] is None
    first, second = (page.work("POST", "/between", {"at": at}).told["settings"] for at in (0.0, 1.0))
    assert first["master"]["eq"] != pytest.approx(second["master"]["eq"], abs=0.05)
    assert first["drums"]["eq"] == pytest.approx(second["drums"]["eq"], abs=0.05)
    assert max(abs(gain) for knob, gain in first["drums"]["eq"].items() if knob.endswith("gain_db")) > 0.1


def test_the_library_is_offered_and_a_style_taken(page: Page) -> None:
    (offered,) = page.work("GET", "/styles").told
    assert offered["title"] == "<b>warm</b>"
    state = page.work("POST", "/styles", {"number": offered["number"]}).told
    assert [sound["style"] for sound in state["sounds"]].count(True) >= 1
    assert page.work("POST", "/styles", {"number": 99}).status == 400


def test_what_cannot_be_a_reference_is_refused(page: Page, tmp_path: Path) -> None:
    (tmp_path / "bad.style.safetensors").write_bytes(b"x" * 100)
    refused = page.drop("reference", tmp_path / "bad.style.safetensors")
    assert refused.status == 400
    assert refused.error.startswith("bad.style.safetensors holds no style")
    assert page.drop("input", tmp_path / "bad.style.safetensors").status == 400
    weights = {sound["key"]: 1.0 for sound in page.work("GET", "").told["sounds"]}
    for stems, word in (
        ({"drums": "nothing"}, "isn't there any more"),
        ({"tuba": next(iter(weights))}, "stems"),
    ):
        answer = page.work("POST", "/transfer", {"weights": weights, "stems": stems})
        assert answer.status == 400
        assert word in answer.error


def test_without_a_library_nothing_is_offered(tmp_path: Path) -> None:
    with server() as port:
        page = Page(port)
        page.drop("input", noise(tmp_path / "song.wav"))
        assert page.work("GET", "/styles").told == []
        assert page.work("POST", "/styles", {"number": 1}).status == 400
