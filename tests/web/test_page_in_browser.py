"""The page in a real browser, from the first drop to the download: what people see, hear and take away."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from serving import excerpt, server

from styletransfer.web import Limits

pytestmark = pytest.mark.browser
LIMITS = Limits(upload_mb=3, left_s=8, references=3)
PATIENCE_MS = 300_000
SAMPLES = """async () => {
  const player = Player.all[0];
  player.buffers = await (player.buffers ?? player.decode());
  return player.buffers.map((buffer) => [...buffer.getChannelData(0).filter((_, i) => i % 50 === 0)]);
}"""


class Opened:
    """A page, what it asked for, and what it said on the console."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.context = browser.new_context(accept_downloads=True, **options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(address)

    def drop(self, role: str, *paths: Path) -> None:
        """Choose files, and wait until they are there."""
        rows = self.page.locator(f".sounds[data-role={role}] li[data-key]")
        wanted = len(paths) if role == "input" else rows.count() + len(paths)
        self.page.locator(f".drop[data-role={role}] input").set_input_files([str(path) for path in paths])
        rows.nth(wanted - 1).wait_for()

    def transfer(self) -> None:
        self.page.get_by_role("button", name="Transfer").click()
        self.page.locator("#desk .player.ready").wait_for()

    def rendered(self) -> None:
        """Wait until what moved is heard."""
        self.wait_until("rendering === null && turning.size === 0")

    def samples(self) -> list[Any]:
        """Every 50th sample of what each track of the mix plays."""
        return [np.array(track) for track in self.page.evaluate(SAMPLES)]

    def wait_until(self, condition: str) -> None:
        """The page's policy forbids eval, which playwright's own waiting needs."""
        for _ in range(PATIENCE_MS // 50):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never came true: {condition}")

    def close(self) -> None:
        """Nothing went elsewhere, nothing was complained of."""
        self.context.close()
        assert [url for url in self.requests if not url.startswith((self.address, "data:"))] == []
        assert self.said == []


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The page's address, and the folder that the server keeps its files in."""
    base = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMIX_TMP", str(base))
        with server(LIMITS) as port:
            yield f"http://127.0.0.1:{port}/", base
    assert list(base.iterdir()) == []


@pytest.fixture(scope="module")
def address(served: tuple[str, Path]) -> str:
    return served[0]


@pytest.fixture(scope="module")
def sounds(songs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("songs")
    return {
        name: excerpt(songs[name], folder / f"{name}.wav", 4, 5.0) for name in ("input", "reference", "vocal")
    }


@pytest.fixture(scope="module")
def done(browser: Any, address: str, sounds: dict[str, Path]) -> Iterator[Opened]:
    """A page after a transfer from two references."""
    opened = Opened(browser, address)
    opened.drop("input", sounds["input"])
    opened.drop("reference", sounds["reference"], sounds["vocal"])
    opened.transfer()
    yield opened
    opened.close()


def test_a_slider_changes_what_is_heard(done: Opened) -> None:
    before = done.samples()
    slider = done.page.locator("#drums-gain-gain_db")
    level = float(slider.input_value())
    slider.focus()
    done.page.keyboard.press("PageDown")
    done.rendered()
    assert float(slider.input_value()) < level
    after = done.samples()
    assert [len(track) for track in after] == [len(track) for track in before]
    changed = [float(np.abs(one - other).max()) for one, other in zip(after, before, strict=True)]
    assert changed[1] > 0.01
    assert changed[0] == changed[2] == 0
    done.page.locator(".strip[data-strip=drums] .reset").click()
    done.rendered()
    assert float(slider.input_value()) == pytest.approx(level)
    again = done.samples()[1]
    lossy = np.square(again - before[1]).mean() / np.square(before[1]).mean()
    assert lossy < 0.03  # Opus before, a WAV now; and not a sample later


def test_it_plays_on_while_a_slider_moves(done: Opened) -> None:
    done.page.locator(".player-play").first.click()
    done.wait_until("Player.all[0].running !== null")
    done.page.keyboard.press("2")
    done.page.locator("#bass-gain-gain_db").evaluate(
        "(range) => { range.value = 6; range.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    done.rendered()
    assert done.page.evaluate("Player.all[0].running !== null && Player.all[0].chosen === 1")
    gain = "Player.all[0].running.gains[1].gain.value"
    done.wait_until(f"Math.abs({gain} - 1) < 0.01")
    done.page.locator(".player-play").first.click()


def test_a_stem_is_heard_alone(done: Opened) -> None:
    strip = done.page.locator(".strip[data-strip=drums]")
    strip.locator(".hear").click()
    strip.locator(".player.ready").wait_for()
    assert done.page.evaluate("Player.all.length") == 2
    strip.locator("#drums-gain-gain_db").focus()
    done.page.keyboard.press("ArrowUp")
    done.rendered()
    assert done.page.evaluate("Player.all[1].buffers !== undefined")


def test_the_way_between_both_references(done: Opened) -> None:
    way = done.page.locator("#way")
    assert way.is_disabled()
    done.page.locator("#find-way").click()
    done.wait_until("!document.querySelector('#way').disabled")
    levels = []
    for key in ("Home", "End"):
        way.focus()
        done.page.keyboard.press(key)
        done.rendered()
        levels.append(float(done.page.locator("#drums-gain-gain_db").input_value()))
    assert levels[0] != levels[1]


def test_downloads_arrive(done: Opened, tmp_path: Path) -> None:
    for kind, name in {"mix": "input.automix.wav", "result": "input.result.json"}.items():
        with done.page.expect_download() as waiting:
            done.page.locator(f".download[data-kind={kind}]").click()
        assert waiting.value.suggested_filename == name
        waiting.value.save_as(tmp_path / name)
        done.wait_until("!document.querySelector('.download').disabled")
    samples, rate = soundfile.read(tmp_path / "input.automix.wav")
    assert len(samples) == round(5.0 * rate)
    assert np.abs(samples).max() > 0.05
    document = json.loads((tmp_path / "input.result.json").read_text(encoding="utf-8"))
    shown = float(done.page.locator("#drums-gain-gain_db").input_value())
    assert document["console"]["drums"]["gain"]["gain_db"] == pytest.approx(shown, abs=0.051)


def test_reloading_keeps_everything(done: Opened) -> None:
    shown = done.page.locator("#drums-gain-gain_db").input_value()
    done.page.reload()
    done.page.locator("#desk .player.ready").wait_for()
    assert done.page.locator("#drums-gain-gain_db").input_value() == shown
    assert done.page.locator(".sounds li[data-key]").count() == 3


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(done: Opened, width: int) -> None:
    done.page.set_viewport_size({"width": width, "height": 800})
    done.page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert done.page.evaluate("document.documentElement.scrollWidth") <= width
    small = (
        "[...document.querySelectorAll('button')].filter((b) => b.offsetParent && b.offsetHeight < 44).length"
    )
    assert done.page.evaluate(small) == 0
    unnamed = "[...document.querySelectorAll('input')].filter((i) => !i.labels.length && !i.ariaLabel).length"
    assert done.page.evaluate(unnamed) == 0


def test_a_reference_for_one_stem_has_no_weight(browser: Any, address: str, sounds: dict[str, Path]) -> None:
    opened = Opened(browser, address)
    opened.drop("input", sounds["input"])
    opened.drop("reference", sounds["reference"], sounds["vocal"])
    rows = opened.page.locator(".sounds[data-role=reference] li[data-key]")
    rows.nth(0).locator("select").select_option("drums")
    keys = [rows.nth(index).get_attribute("data-key") for index in range(2)]
    wish = opened.page.evaluate("wished()")
    assert (wish["stems"], list(wish["weights"])) == ({"drums": keys[0]}, keys[1:])
    assert [rows.nth(index).locator("input[type=range]").count() for index in range(2)] == [0, 1]
    rows.nth(1).locator("select").select_option("drums")  # a stem follows one of them
    assert rows.nth(0).locator("select").input_value() == ""
    opened.page.get_by_role("button", name="Remove everything").click()
    rows.nth(0).wait_for(state="detached")
    opened.close()


def test_bad_files_are_explained(browser: Any, address: str, tmp_path: Path, sounds: dict[str, Path]) -> None:
    opened = Opened(browser, address)
    told = opened.page.locator("#error")
    chooser = opened.page.locator(".drop[data-role=input] input")
    (tmp_path / "text.wav").write_text("no sound\n" * 99)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "huge.wav").write_bytes(bytes(3_500_000))
    for name, words in {
        "empty.wav": "is empty",
        "huge.wav": "larger than 3 MB",
        "text.wav": "text.wav",
    }.items():
        chooser.set_input_files(str(tmp_path / name))
        told.filter(has_text=words).wait_for()
        assert told.inner_text().endswith(".")
    assert opened.page.locator(".sounds li").count() == 0
    opened.drop("input", sounds["input"])
    assert not told.is_visible()
    assert opened.page.get_by_role("button", name="Transfer").is_disabled()  # there is no reference yet
    opened.said = [line for line in opened.said if "400" not in line]  # the browser tells of the refusal
    opened.close()


def test_closing_the_page_removes_everything(
    browser: Any, served: tuple[str, Path], sounds: dict[str, Path]
) -> None:
    address, base = served
    before = set(base.rglob("*"))
    opened = Opened(browser, address)
    opened.drop("input", sounds["input"])
    own = set(base.rglob("*")) - before
    assert any(path.is_file() for path in own)
    opened.page.close()
    for _ in range(600):
        if not any(path.exists() for path in own):
            break
        time.sleep(0.1)
    assert not [path for path in own if path.exists()]
    opened.close()
