"""The map as files: pictures that repeat, a page that loads nothing and that no title can break."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from styletransfer import files
from styletransfer.atlas import Point, described, maps, picture
from styletransfer.atlas.excerpts import KBPS, excerpts_of
from styletransfer.audio import Audio
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.encoder.measures import measure
from styletransfer.errors import UsageError

RATE = 44_100
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"


def sound(seed: int, tilt: float = 0.0, duration_s: float = 2.0, level: float = 0.1) -> Audio:
    frames = round(duration_s * RATE)
    spectrum = torch.fft.rfft(torch.randn(2, frames, generator=torch.Generator().manual_seed(seed)))
    shape = (torch.fft.rfftfreq(frames, 1 / RATE).clamp(min=20) / 1000) ** (-tilt / 2)
    shaped = torch.fft.irfft(spectrum * shape, n=frames)
    return Audio(level * shaped / shaped.square().mean().sqrt(), RATE)


def point(number: int, path: Path | None = None, **of: object) -> Point:
    vector = np.random.default_rng(number).normal(size=8)
    facts: dict[str, object] = {
        "title": f"song {number}",
        "stem": "mix",
        "folder": f"folder {number % 2}",
        "tags": (),
        "embedding": vector / np.linalg.norm(vector),
        "measures": measure(sound(number, tilt=number % 3).samples, RATE),
        "path": path,
    }
    return Point(**(facts | of))  # type: ignore[arg-type]


def points(count: int = 6, **of: object) -> list[Point]:
    return [point(number, **of) for number in range(count)]  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_picture_is_the_same_again(tmp_path: Path, suffix: str) -> None:
    drawn = maps.draw(points())
    first, second = (maps.write(drawn, tmp_path / f"{n}{suffix}").read_bytes() for n in range(2))
    assert first == second
    assert len(first) > 1000


def test_names_and_legends_are_taken_literally(tmp_path: Path) -> None:
    odd = [point(n, title="$x^{_a$ 曲", folder=name) for n, name in enumerate(["_hidden", "a$b$", "c"])]
    drawn = maps.draw(odd)
    figure = picture.map_figure(drawn.places, drawn.labels, [p.title for p in odd])
    assert len(figure.legends[0].get_texts()) == 3
    maps.write(drawn, tmp_path / "odd.svg")
    assert len(picture.map_figure(drawn.places, ["one"] * 3).legends) == 0


def test_names_are_left_out_where_there_are_many() -> None:
    few, many = (
        picture.map_figure(np.random.default_rng(0).normal(size=(n, 2)), ["a"] * n, ["x"] * n)
        for n in (25, 26)
    )
    assert (len(few.axes[0].texts), len(many.axes[0].texts)) == (25, 0)


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data


def page(path: Path, of: list[Point], **how: object) -> tuple[str, Page]:
    text = maps.write(maps.draw(of), path, **how).read_text(encoding="utf-8")  # type: ignore[arg-type]
    return text, Page(text)


def test_no_text_from_outside_becomes_code(tmp_path: Path) -> None:
    odd = [point(n, title=HOSTILE, folder=HOSTILE + str(n % 2), tags=(HOSTILE,)) for n in range(4)]
    text, found = page(tmp_path / "map.html", odd)
    assert [tag for tag, _ in found.tags].count("script") == 2
    assert "img" not in {tag for tag, _ in found.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert "49" not in re.findall(r"&#39;&amp;(.*?)\b", text)
    labels = [attributes["aria-label"] for _, attributes in found.tags if "spot" in str(attributes.get("id"))]
    assert all(HOSTILE in str(label) for label in labels)


def test_the_page_may_load_nothing_and_run_only_its_own(tmp_path: Path) -> None:
    text, found = page(tmp_path / "map.html", points())
    policy = next(str(a["content"]) for _, a in found.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    digest = base64.b64encode(hashlib.sha256(found.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert not re.search(r"(src|href)=|https?://", text)


def test_every_sound_is_on_the_map_in_the_list_and_in_reach_of_keys(tmp_path: Path) -> None:
    _, found = page(tmp_path / "map.html", points())
    spots = [attributes for tag, attributes in found.tags if tag == "g"]
    assert len(spots) == 6
    assert [spot["tabindex"] for spot in spots] == ["0"] + ["-1"] * 5
    assert {spot["role"] for spot in spots} == {"button"}
    assert all(0 <= float(str(spot["data-x"])) <= 1000 for spot in spots)
    assert [tag for tag, _ in found.tags].count("tr") == 7


def test_excerpts_can_be_played_and_are_equally_loud(tmp_path: Path) -> None:
    paths: list[Path | None] = [
        files.write(tmp_path / f"{n}.wav", sound(n, duration_s=9.0, level=level), subtype="FLOAT")
        for n, level in enumerate((0.05, 0.3))
    ]
    _, found = page(tmp_path / "map.html", [point(n, path) for n, path in enumerate([*paths, None])])
    addresses = json.loads(found.scripts[0])
    assert [bool(address) for address in addresses] == [True, True, False]
    heard = []
    for address in addresses[:2]:
        samples, rate = soundfile.read(
            io.BytesIO(base64.b64decode(address.partition(",")[2])), dtype="float32"
        )
        assert samples.shape[0] / rate == pytest.approx(6.0, abs=0.05)
        heard.append(integrated_lufs(torch.from_numpy(samples.T.copy()), rate))
    assert heard[0] == pytest.approx(heard[1], abs=1.0)


def test_sound_stays_within_its_limit(tmp_path: Path) -> None:
    paths: list[Path | None] = [
        files.write(tmp_path / f"{n}.wav", sound(n, duration_s=7.0), subtype="PCM_16") for n in range(4)
    ]
    needed = sum(map(len, excerpts_of(paths, 20.0)))
    assert needed == pytest.approx(4 * 6 * KBPS * 1000 / 8 * 4 / 3, rel=0.25)
    for limit_mb in (0.12, 0.05, 0.03, 0.0):
        found = excerpts_of(paths, limit_mb)
        assert sum(map(len, found)) <= limit_mb * 1e6
        assert any(found) == (limit_mb > 0.025)
    assert excerpts_of([tmp_path / "gone.wav", None]) == ["", ""]


def test_words_tell_what_sets_a_sound_apart() -> None:
    told = described(
        [point(n, measures=measure(sound(n, tilt=t).samples, RATE)) for n, t in enumerate((0, 1, 2))]
    )
    assert "brighter" in told[0].words
    assert told[1].words == "about the middle"
    assert "darker" in told[2].words


def test_colours() -> None:
    found = [point(n, tags=("x",) if n else (), stem="drums" if n else "mix") for n in range(4)]
    assert maps.draw(found, "tag").labels == ["untagged", "x", "x", "x"]
    assert maps.draw(found, "stem").labels == ["mix", "drums", "drums", "drums"]
    assert maps.draw(found, "cluster").labels[0].partition(":")[0] in "1234"
    with pytest.raises(UsageError, match="mood"):
        maps.draw(found, "mood")
    with pytest.raises(UsageError, match=r"png or \.svg or \.html"):
        picture.check_target(Path("a.gif"), maps.SUFFIXES)
