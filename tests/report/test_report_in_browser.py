"""The page in a real browser: loads alone, plays, switches in place, loops, takes keys, fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_sounds import HOSTILE, transferred

from styletransfer.report import report_of, write

pytestmark = pytest.mark.browser
VERSIONS = [f"version-{number}" for number in range(1, 10)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write(report_of(transferred(HOSTILE)), path)
    return path.as_uri()


class Opened:
    """A page, what it asked of the network, and what it said on the console."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(address)

    def now(self) -> float:
        return float(self.page.evaluate("Player.current.now()"))

    def playing(self) -> bool:
        return bool(self.page.evaluate("Player.current.running !== null"))

    def chosen(self) -> int:
        return int(self.page.evaluate("Player.current.chosen"))

    def wait_until(self, condition: str) -> None:
        """The page's policy forbids eval, which playwright's own waiting needs."""
        for _ in range(600):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never came true: {condition}")


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Opened]:
    opened = Opened(browser, address)
    yield opened
    opened.context.close()
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert sum(url.startswith("file:") for url in opened.requests) == 1
    assert opened.said == []


def press_play(opened: Opened) -> None:
    opened.page.keyboard.press("Space")
    opened.wait_until("Player.current.running !== null && Player.context.state === 'running'")


def test_keys_play_switch_and_pause(opened: Opened) -> None:
    press_play(opened)
    opened.wait_until("Player.current.now() > 0.3")
    starts = opened.page.evaluate("Player.current.running.at")
    for key, chosen in (("2", 1), ("3", 2), ("1", 0), ("9", 0)):
        before = opened.now()
        opened.page.keyboard.press(key)
        assert opened.chosen() == chosen
        assert opened.playing()
        assert (opened.now() - before) % 5.0 < 2.0  # no jump: the page's clock just goes on
    assert opened.page.evaluate("Player.current.running.at") == starts  # nothing was started anew
    opened.page.keyboard.press("Space")
    assert not opened.playing()
    stopped = opened.now()
    opened.page.wait_for_timeout(200)
    assert opened.now() == stopped


@pytest.mark.parametrize(
    ("pressed", "then"),
    [
        ("key: '\u00e9', code: 'Digit2'", "Player.current.chosen === 1"),  # a French 2
        ("key: '3', code: 'Numpad3'", "Player.current.chosen === 2"),
        ("key: '[', code: 'Digit8', ctrlKey: true, altKey: true", "Player.current.loop !== null"),  # German
        ("key: '2', code: 'Digit2', ctrlKey: true", "Player.current.chosen === 0"),  # the browser's own
    ],
)
def test_keys_of_other_keyboards(opened: Opened, pressed: str, then: str) -> None:
    event = f"new KeyboardEvent('keydown', {{ {pressed}, bubbles: true, cancelable: true }})"
    opened.page.evaluate(f"document.body.dispatchEvent({event})")
    assert opened.page.evaluate(then)


def test_only_the_chosen_version_sounds(opened: Opened) -> None:
    press_play(opened)
    opened.page.keyboard.press("2")
    opened.wait_until("Player.current.running.gains[1].gain.value > 0.99")
    opened.wait_until("Player.current.running.gains[0].gain.value < 0.01")
    assert opened.page.evaluate("Player.current.running.gains[2].gain.value") < 0.01
    opened.page.locator(".player").first.locator(".player-equal").uncheck()
    opened.wait_until("Player.current.running.gains[1].gain.value !== 1")
    peak = opened.page.evaluate(
        """() => Math.max(...Player.current.buffers.map((buffer, i) => {
             const gain = 10 ** (Number(Player.current.sounds[i].dataset.unmatchedDb) / 20);
             const peak = buffer.getChannelData(0).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
             return Math.max(gain, 1) * peak; }))"""
    )
    assert 0 < peak < 1


def test_versions_are_aligned_as_decoded(opened: Opened) -> None:
    """Input and result differ by effects only, so that their samples match best without any shift."""
    press_play(opened)
    best = opened.page.evaluate(
        """() => {
          const [a, b] = Player.current.buffers.map((buffer) => buffer.getChannelData(0));
          let best = [-Infinity, 0];
          for (let shift = -50; shift <= 50; shift++) {
            let sum = 0;
            for (let i = 48000; i < 72000; i++) sum += a[i] * b[i + shift];
            if (sum > best[0]) best = [sum, shift];
          }
          return best[1]; }"""
    )
    assert abs(best) <= 1
    lengths = opened.page.evaluate("Player.current.buffers.map((buffer) => buffer.duration)")
    assert lengths == pytest.approx([lengths[0]] * 3, abs=1e-6)


def test_click_seeks_and_drag_loops(opened: Opened) -> None:
    waves = opened.page.locator(".player-waves").first
    waves.scroll_into_view_if_needed()
    box = waves.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    opened.page.mouse.click(box["x"] + 0.5 * box["width"], middle)
    assert opened.now() == pytest.approx(0.5 * 5.0, abs=0.05)  # of 5 s, the reference's length
    opened.page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + 0.3 * box["width"], middle, steps=4)
    opened.page.mouse.up()
    loop = opened.page.evaluate("Player.current.loop")
    assert loop == pytest.approx([1.0, 1.5], abs=0.05)
    assert opened.now() == pytest.approx(1.0, abs=0.05)
    press_play(opened)
    for _ in range(12):
        opened.page.wait_for_timeout(120)
        assert loop[0] - 0.01 <= opened.now() <= loop[1] + 0.01
    opened.page.locator(".player-unloop").first.click()
    assert opened.page.evaluate("Player.current.loop") is None


def test_the_waveform_is_a_slider_for_keys(opened: Opened) -> None:
    waves = opened.page.locator(".player-waves").first
    waves.focus()
    for _ in range(2):
        opened.page.keyboard.press("ArrowRight")
    assert waves.get_attribute("aria-valuenow") == "2.0"
    opened.page.keyboard.press("[")
    opened.page.keyboard.press("End")
    opened.page.keyboard.press("Home")
    assert opened.now() == 0
    for _ in range(3):
        opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("]")
    assert opened.page.evaluate("Player.current.loop") == pytest.approx([0, 3], abs=0.01)


def test_one_player_at_a_time_and_space_presses_what_has_the_focus(opened: Opened) -> None:
    drums = opened.page.locator("section.player").nth(1)
    press_play(opened)
    drums.locator(".player-track").nth(1).click()
    assert opened.page.evaluate("Player.all.indexOf(Player.current)") == 1
    opened.page.keyboard.press("Space")  # on the version just chosen: plays
    opened.wait_until("Player.all[1].running !== null && Player.all[0].running === null")
    drums.locator(".player-track").nth(2).focus()
    opened.page.keyboard.press("Space")  # on another version: chooses it
    opened.wait_until("Player.all[1].chosen === 2")
    assert opened.playing()
    drums.locator(".player-play").focus()
    opened.page.keyboard.press("Space")
    assert not opened.playing()


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_nothing_is_wider_than_the_screen(browser: Any, address: str, width: int) -> None:
    opened = Opened(browser, address, viewport={"width": width, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    small = opened.page.evaluate(
        """() => [...document.querySelectorAll('.player button')].filter((b) => b.offsetHeight < 44).length"""
    )
    assert small == 0
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_lines_stand_out_in_both_themes(browser: Any, address: str, scheme: str) -> None:
    """WCAG 2.2: 4.5 : 1 for text, 3 : 1 for what is drawn."""
    opened = Opened(browser, address, color_scheme=scheme)
    names = ("page", "raised", "ink", "muted", "warning", "accent", "edge", *VERSIONS)
    style = "getComputedStyle(document.documentElement)"
    colours = {n: opened.page.evaluate(f"{style}.getPropertyValue('--{n}').trim()") for n in names}
    for background in ("page", "raised"):
        for name in ("ink", "muted", "warning"):
            assert contrast(colours[name], colours[background]) >= 4.5, (name, background)
        for name in ("accent", "edge", *VERSIONS):
            assert contrast(colours[name], colours[background]) >= 3, (name, background)
    ink = opened.page.evaluate("getComputedStyle(document.querySelector('figure text')).fill")
    assert ink != "rgb(0, 0, 0)"
    opened.context.close()


def test_all_is_printed(browser: Any, address: str, tmp_path: Path) -> None:
    opened = Opened(browser, address, color_scheme="dark")
    opened.page.pdf(path=str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").stat().st_size > 20_000
    assert opened.page.evaluate("[...document.querySelectorAll('details')].every((part) => part.open)")
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not opened.page.locator(".player-play").first.is_visible()
    opened.context.close()


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
