"""A transfer on the page without a browser: progress, players, knobs that change the sound, downloads."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from serving import Page, excerpt, server

HOSTILE = "<img src=x onerror=alert(1)>.wav"
LENGTH_S = 5.0


@pytest.fixture(scope="module")
def page(songs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page whose transfer from two references is done."""
    folder = tmp_path_factory.mktemp("songs")
    with server() as port:
        page = Page(port)
        page.drop("input", excerpt(songs["input"], folder / "input.wav", 6, LENGTH_S), HOSTILE)
        keys = [
            page.drop("reference", excerpt(songs[name], folder / f"{name}.wav", 4, LENGTH_S)).told["key"]
            for name in ("reference", "vocal")
        ]
        wish = {"weights": {keys[0]: 0.75, keys[1]: 0.25}, "lock": ["vocals"], "only": ["level", "eq"]}
        started = page.work("POST", "/transfer", wish)
        assert started.status == 200
        assert page.work("POST", "/transfer", wish).status == 400  # one at a time
        assert page.work("POST", "/sounds?role=input&name=x", b"x").status == 400
        state = page.wait()
        assert state["job"]["error"] is None
        assert state["desk"]
        stages = dict(state["job"]["stages"])
        assert {"separating input", "matching", "rendering"} <= set(stages)
        assert set(stages.values()) == {1.0}
        yield page


def turned(page: Page, strip: str, settings: dict[str, dict[str, float]]) -> dict[str, Any]:
    answer = page.work("POST", "/turn", {"strip": strip, "settings": settings})
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.told
    return told


def heard(page: Page, exchanged: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    answer = page.work("GET", f"/heard/{exchanged['sound']}")
    assert answer.headers["content-type"] == "audio/wav"
    samples, _ = soundfile.read(io.BytesIO(answer.body))
    return np.asarray(samples)


def test_the_desk_shows_what_was_done_and_escapes_names(page: Page) -> None:
    html = page.work("GET", "/desk").body.decode()
    assert html.count('class="player"') == 1
    assert "<img" not in html
    assert re.findall(r'data-strip="(\w+)"', html) == ["drums", "bass", "other", "vocals", "master"]
    assert "vocal.wav" in html  # an end of the way
    for knob in ("gain_db", "peak_1_gain_db", "threshold_db", "ratio", "drive_db", "width", "wet"):
        assert f'data-knob="{knob}"' in html
    assert " on" not in " ".join(re.findall(r"<[^>]*>", html)).replace(" one", "")  # no handlers


def test_a_turn_changes_the_samples_and_levels_stay_equal(page: Page) -> None:
    before = heard(page, turned(page, "drums", {})["players"][0])
    assert len(before) == pytest.approx(44_100 * LENGTH_S, abs=44_100)
    told = turned(page, "drums", {"gain": {"gain_db": 12.0}})
    after = heard(page, told["players"][0])
    assert after.shape == before.shape
    assert np.abs(after - before).max() > 0.01
    assert told["settings"]["drums"]["gain"]["gain_db"] == 12.0
    message = told["players"][0]
    assert (message["player"], message["index"]) == ("mix", 1)
    assert message["levels"][1]["equal_db"] == 0
    assert message["outline"].startswith("<svg")
    assert np.abs(after).max() <= 0.9
    again = heard(page, turned(page, "drums", {})["players"][0])
    assert np.array_equal(again, before)


def test_saturation_is_turned_by_hand(page: Page) -> None:
    clean, driven = (
        heard(page, turned(page, "drums", {"saturation": {"drive_db": drive_db}})["players"][0])
        for drive_db in (0.0, 24.0)
    )
    assert np.abs(driven - clean).max() > 0.01
    turned(page, "drums", {})


def test_a_stems_player_follows_its_strip(page: Page) -> None:
    assert page.work("GET", "/players/bass").body.count(b"<audio") == 3
    assert page.work("GET", "/players/piano").status == 400
    told = turned(page, "bass", {"gain": {"gain_db": -6.0}})
    assert [one["player"] for one in told["players"]] == ["mix", "bass"]
    assert [one["player"] for one in turned(page, "drums", {})["players"]] == ["mix"]
    turned(page, "bass", {})


def test_knobs_out_of_range_are_refused(page: Page) -> None:
    answer = page.work("POST", "/turn", {"strip": "drums", "settings": {"gain": {"gain_db": 1000}}})
    assert answer.status == 400
    assert "outside" in answer.error


def test_between_both_references(page: Page) -> None:
    assert page.work("POST", "/between", {"at": 0.5}).status == 400
    assert page.work("POST", "/way").status == 200
    assert page.wait()["job"]["error"] is None
    ends = [page.work("POST", "/between", {"at": at}).told for at in (0.0, 1.0)]
    sounds = [heard(page, told["players"][0]) for told in ends]
    assert np.abs(sounds[0] - sounds[1]).max() > 0.01
    middle = page.work("POST", "/between", {"at": 0.5}).told
    first, second, between = (told["settings"]["drums"]["gain"]["gain_db"] for told in (*ends, middle))
    assert between == pytest.approx((first + second) / 2, abs=1e-6)
    assert page.work("POST", "/between", {"at": 1.5}).status == 400
    for strip in ("drums", "bass", "other", "vocals", "master"):
        turned(page, strip, {})


@pytest.mark.parametrize("kind", ["mix", "stems", "session", "result", "report"])
def test_downloads(page: Page, kind: str) -> None:
    told = turned(page, "master", {"gain": {"gain_db": 3.0}})
    page.work("POST", "/download", {"kind": kind})
    state = page.wait()
    assert state["job"]["error"] is None
    answer = page.work("GET", f"/files/{state['download']}")
    assert answer.status == 200
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment;")
    assert "<" not in disposition
    body = answer.body
    if kind == "mix":
        samples, rate = soundfile.read(io.BytesIO(body))
        assert samples.shape == (round(LENGTH_S * rate), 2)
        assert soundfile.info(io.BytesIO(body)).subtype == "PCM_24"
    elif kind == "result":
        document = json.loads(body)
        assert document["console"]["master"] == told["settings"]["master"]
        assert document["input"]["name"] == HOSTILE
        assert {told["name"] for told in document["references"]} == {"reference.wav", "vocal.wav"}
    elif kind == "report":
        assert b"<img src=x" not in body
        assert b"automix report" in body
    else:
        names = zipfile.ZipFile(io.BytesIO(body)).namelist()
        wanted = {"drums.wav", "rest.wav"} if kind == "stems" else {"session.rpp", "session.dawproject"}
        assert wanted <= set(names)
        assert not [name for name in names if name.startswith(("/", ".."))]
    assert page.work("GET", "/files/nothing").status == 404
