"""The page: complete, self-contained, escaped, and its figures are those of result.json."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from report_sounds import HOSTILE, noise, transferred
from typer.testing import CliRunner

from styletransfer.audio import STEMS, Audio
from styletransfer.cli import app
from styletransfer.closeness import distance
from styletransfer.converter.console import MASTER, STRIP, neutral
from styletransfer.converter.fx import compress
from styletransfer.encoder.measures import measure
from styletransfer.errors import AudioError, UsageError
from styletransfer.proposed import Proposed
from styletransfer.report import Report, compare, html_of, player_html, report_of, write
from styletransfer.report.console_curves import LEVELS_DB, traces_of, transfer_curve_db
from styletransfer.report.curves import goniometer, third_octaves_db, width_by_band_db
from styletransfer.report.parameters import columns_of, folded, rows_of
from styletransfer.report.versions import version_of
from styletransfer.result import Result
from styletransfer.sources import Song

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Page(HTMLParser):
    """What is on a page: elements balanced, ids unique, texts, addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.refers: set[str] = set()
        self.addresses: list[str] = []
        self.attributes: Counter[str] = Counter()
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            self.attributes[name] += 1
            value = value or ""
            if name == "id":
                self.ids[value] += 1
            if name in ("src", "href", "action", "poster", "srcset", "data", "formaction"):
                self.addresses.append(value)
            if name in ("aria-labelledby", "aria-describedby"):
                self.refers |= set(value.split())
            self.refers |= set(re.findall(r"url\(#(.+?)\)", value))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def result() -> Result:
    return transferred(HOSTILE)


@pytest.fixture(scope="module")
def report(result: Result) -> Report:
    return report_of(result)


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(html_of(report))


def test_the_page_is_whole(page: Page) -> None:
    assert page.tags["audio"] == 3 * 5  # input, result and reference of the mix and of four stems
    assert page.tags["figure"] >= 7 + 5
    assert set(page.ids.values()) == {1}
    assert page.refers <= set(page.ids)
    assert page.tags["h1"] == page.tags["main"] == page.tags["title"] - page.tags["figure"] == 1
    words = " ".join(page.text)
    for wanted in (
        "Equalizer; dots are its bands",
        "Compressor",
        "Expander",
        "Gain reduction",
        "Goniometer",
        "third-octave",
        "loudness over time",
        "Loudness range",
        "Distance to the reference",
        "Nothing to match",
    ):
        assert wanted in words


def test_nothing_is_loaded_from_elsewhere(page: Page, report: Report) -> None:
    for address in page.addresses:
        assert address.startswith(("data:", "#"))
    html = html_of(report)
    for foreign in ("http:", "https:", "//cdn", "@import", "fetch(", "XMLHttpRequest"):
        assert foreign not in html
    assert "default-src 'none'" in html


def test_names_from_outside_are_text_and_nothing_else(page: Page, report: Report) -> None:
    """A name that is markup, script, mathematics and template at once."""
    assert page.tags["script"] == 1
    assert page.tags["img"] == 0
    assert not {name for name in page.attributes if name.startswith("on")}
    words = "".join(page.text)
    assert HOSTILE in words
    assert f"nothing in {HOSTILE}" in words
    assert "49" not in report.title


def test_reports_of_one_result_are_alike(result: Result, report: Report) -> None:
    again = html_of(report_of(result))
    serials = re.compile(r'src="data:audio[^"]*"')  # Ogg streams carry a random serial number
    assert serials.sub("", again) == serials.sub("", html_of(report))


def test_distances_are_those_of_closeness(result: Result, report: Report) -> None:
    theirs = measure(result.reference.audio.samples, 44_100) if result.reference else None
    assert theirs is not None
    for label, sound in (("Input", result.song.audio), ("Result", result.mix)):
        wanted = distance(measure(sound.samples, 44_100), theirs).total
        assert report.distances[label, "Reference"].total == pytest.approx(wanted, abs=0.02)


def test_numbers_are_json_and_agree_with_the_document(result: Result, report: Report) -> None:
    numbers = json.loads(json.dumps(report.numbers(), allow_nan=False))
    after = result.document.after
    assert after is not None
    assert numbers["sounds"][1]["figures"] == json.loads(after.model_dump_json())
    eq = [row for row in numbers["strips"]["drums"]["parameters"] if row["stage"] == "eq"]
    assert [(row["knob"], row["value"]) for row in eq] == [
        ("peak 2 gain", 6.0),
        ("peak 2 frequency", 700.0),
        ("peak 2 q", 0.8),
    ]


def test_steps_have_columns_where_they_are_known(result: Result) -> None:
    document = result.document.model_copy(deep=True)
    closed = {name: dict(knobs) for name, knobs in document.console.drums.items()}
    moved = {name: dict(knobs) for name, knobs in closed.items()}
    moved["compressor"]["ratio"] *= 2
    moved["compressor"]["makeup_db"] -= 1.5
    moved["compressor"]["knee_db"] += 0.0004  # nothing that the digits tell
    document.proposed = {"drums": Proposed.of(STRIP, closed, moved)}
    told = Result(result.mix, document, result.song, None, result.dry_stems, None, result.unchanged)
    strips = {strip.name: strip for strip in report_of(told, "none").strips}
    assert columns_of(strips["drums"].rows) == ["closed form", "network", "rendered"]
    assert columns_of(strips["bass"].rows) == ["rendered"]
    (ratio,) = [r for r in strips["drums"].rows if (r.stage, r.knob) == ("compressor", "ratio")]
    assert ratio.said == {"closed form": "4.00", "network": "× 2.00", "refinement": "", "rendered": "4.00"}
    said = {r.knob: r.said["network"] for r in strips["drums"].rows if r.stage == "compressor"}
    assert (said["makeup"], said["knee"]) == ("-1.50", "")


def test_a_band_is_one_line_unless_its_place_was_moved(result: Result) -> None:
    document = result.document.model_copy(deep=True)
    closed = {name: dict(knobs) for name, knobs in document.console.drums.items()}
    moved = {name: dict(knobs) for name, knobs in closed.items()}
    moved["eq"]["peak_2_gain_db"] += 2
    for network, lines in (
        (moved, [("peak 2 gain, 700 Hz, Q 0.80", "+2.00")]),
        (
            moved | {"eq": moved["eq"] | {"peak_2_frequency_hz": 1400.0}},
            [("peak 2 gain, Q 0.80", "+2.00"), ("peak 2 frequency", "× 2.00")],
        ),
    ):
        document.console.drums, document.proposed = network, {"drums": Proposed.of(STRIP, closed, network)}
        rows = folded(rows_of(document, "drums", STRIP, network))
        assert [(row.knob, row.said["network"]) for row in rows if row.stage == "eq"] == lines


def test_without_audio_nothing_is_embedded(result: Result) -> None:
    html = html_of(report_of(result, "none"))
    assert "data:audio" not in html
    assert "drums-reduction" in html


def test_full_audio_lasts_as_long_as_the_song(result: Result) -> None:
    (player,) = report_of(result, "full").players
    assert player.duration_s == 5.0  # the reference's length, the longest
    assert [sound.passage_s for sound in player.sounds] == [(0, 4.0), (0, 4.0), (0, 5.0)]


def test_a_result_without_reference_or_figures_still_has_a_page(result: Result) -> None:
    """What `apply` gives: no reference to hear, no figures from before."""
    document = result.document.model_copy(update={"before": None, "gate": None})
    applied = Result(result.mix, document, result.song, None, result.dry_stems, None, False)
    page = Page(html_of(report_of(applied)))
    assert page.tags["audio"] == 2 * 5
    document = document.model_copy(update={"reference_figures": None, "references": []})
    applied = Result(result.mix, document, result.song, None, result.dry_stems, None, False)
    assert report_of(applied, "none").distances == {}


def test_the_transfer_curve_is_what_steady_tones_meet() -> None:
    settings = {"threshold_db": -30.0, "ratio": 4.0, "knee_db": 6.0, "attack_ms": 1.0, "release_ms": 50.0,
                "makeup_db": 3.0}  # fmt: skip
    curve = transfer_curve_db("compressor", settings)
    for level_db in (-60.0, -30.0, -12.0):
        tone = 10 ** (level_db / 20) * torch.sin(2 * np.pi * 997 * torch.arange(44_100) / 44_100)
        out = compress(tone.expand(1, 2, -1), 44_100, **settings)[0, 0, 22_050:40_000]
        drawn = float(np.interp(level_db, LEVELS_DB, curve))
        assert 20 * np.log10(float(out.abs().max())) == pytest.approx(drawn, abs=0.2)


def test_gain_reduction_is_what_the_compressor_took(result: Result) -> None:
    """A steady tone 20 dB above the threshold at 4 : 1 loses 15 dB; silence has no gain."""
    tone = 0.5 * torch.sin(2 * np.pi * 500 * torch.arange(4 * 44_100) / 44_100).expand(2, -1).clone()
    tone[:, : 44_100 * 2] = 0
    stems = result.dry_stems | {"drums": Audio(tone, 44_100)}
    document = result.document.model_copy(deep=True)
    document.console.drums = neutral(STRIP)
    level_db = 20 * np.log10(0.5)
    document.console.drums["compressor"] |= {"threshold_db": level_db - 20, "ratio": 4.0, "makeup_db": 5.0}
    document.console.master = neutral(MASTER)
    told = Result(result.mix, document, result.song, None, stems, None, False)
    traces = traces_of(told, dict.fromkeys((*STEMS, "master"), (1.0, 4.0)))
    found = traces["drums"].reductions["compressor"]
    assert np.isnan(found.gain_db[found.seconds < 1.9]).all()
    assert np.median(found.gain_db[found.seconds > 3]) == pytest.approx(-15, abs=0.2)


def test_a_passage_sounds_as_in_the_whole_stem() -> None:
    """What is rendered for a passage alone is what the whole stem has there, reverb and compressor too.

    Detectors read the level on a grid of 0.36 ms, which begins elsewhere: that is all that differs.
    """
    result = transferred(seconds=14.0)
    whole = result.stems
    traces = traces_of(result, dict.fromkeys((*STEMS, "master"), (11.0, 14.0)))
    for name in STEMS:
        wanted = whole[name].with_channels(2).excerpt(11.0, 14.0).samples
        error = (traces[name].output.samples - wanted).square().mean() / wanted.square().mean()
        assert 10 * np.log10(float(error) + 1e-20) < -45


def test_curves_of_known_sounds() -> None:
    mono = version_of("A", Song(noise(3, -20, channels=1), "mono", ""))
    assert set(width_by_band_db(mono.figures)) <= {-40.0}
    across, along = goniometer(noise(1, -20, channels=1), 400)
    assert np.abs(across).max() == 0
    assert np.abs(along).max() <= 1
    left = Audio(torch.stack([torch.randn(4000), torch.zeros(4000)]), 44_100)
    across, along = goniometer(left, 400)
    assert np.allclose(across, -along)
    soft = version_of("A", Song(noise(3, -40), "soft", ""))
    loud = version_of("B", Song(noise(3, -10), "loud", ""))
    gap = third_octaves_db(soft.figures)[2:] - third_octaves_db(loud.figures)[2:]
    assert np.abs(gap).max() < 0.2  # the same noise at equal loudness


@pytest.mark.parametrize("count", [2, 4])
def test_files_are_compared(count: int, tmp_path: Path) -> None:
    """Mono, 96 kHz, faint and very short ones, under names that are markup."""
    sounds = [
        noise(2, -20, channels=1),
        noise(3, -15, rate=96_000),
        noise(2, -70),
        noise(0.5, -20, rate=8_000),
    ]
    paths = [
        sound.write(tmp_path / f"{letter}<b>&amp;'.wav")
        for letter, sound in zip("wxyz", sounds[:count], strict=False)
    ]
    done = CliRunner().invoke(
        app, ["compare", *map(str, paths), "-o", str(tmp_path / "c.html"), "--plots", str(tmp_path / "p")]
    )
    assert done.exit_code == 0, done.stderr
    page = Page((tmp_path / "c.html").read_text(encoding="utf-8"))
    assert page.tags["audio"] == count
    assert "w<b>&amp;'.wav" in "".join(page.text)
    numbers = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert len(numbers["distances"]) == count * (count - 1) // 2
    plots = {path.name for path in (tmp_path / "p").iterdir()}
    assert {"spectra.svg", "spectra.png", "goniometer.svg", "loudness.png"} <= plots
    assert set(done.stdout.split("\n")) >= {str(tmp_path / "c.html"), str(tmp_path / "c.json")}


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    one = noise(1, -20)
    with pytest.raises(UsageError, match="2 to 9"):
        compare([one])
    with pytest.raises(AudioError, match="silent"):
        compare([one, Audio(torch.zeros(2, 44_100), 44_100)])
    path = one.write(tmp_path / "a.wav")
    run = CliRunner().invoke
    for extra in (["-o", "x.pdf"], ["--report-audio", "loud"], ["-o", str(tmp_path / "no" / "x.html")]):
        assert run(app, ["compare", str(path), str(path), *extra]).exit_code in (2, 3)


def test_a_player_stands_alone(report: Report) -> None:
    page = Page(str(player_html(report.players[0])))
    assert page.tags["audio"] == 3
    assert page.tags["svg"] == 3


def test_the_page_and_its_numbers_are_written(report: Report, tmp_path: Path) -> None:
    paths = write(report, tmp_path / "report.html", tmp_path / "plots")
    assert all(path.is_file() for path in paths)
    assert paths[:2] == [tmp_path / "report.html", tmp_path / "report.json"]
    svg = (tmp_path / "plots" / "drums-eq.svg").read_text(encoding="utf-8")
    assert "var(--" not in svg  # a picture alone has its own colours
