"""The map in a real browser: it is pointed at, heard, walked by keys, searched and touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from styletransfer import files
from styletransfer.atlas import Point, maps
from styletransfer.audio import Audio
from styletransfer.encoder.measures import measure

pytestmark = pytest.mark.browser
HOSTILE = "</script><script>document.title='broken'</script>"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("map")
    points = []
    for number in range(8):
        generator = torch.Generator().manual_seed(number)
        sound = Audio(0.1 * torch.randn(2, 3 * 44_100, generator=generator), 44_100)
        path = files.write(folder / f"{number}.wav", sound) if number else None
        vector = np.eye(8)[number % 2] + 0.3 * np.random.default_rng(number).normal(size=8)
        title = HOSTILE if number == 1 else f"song {number}"
        told = measure(sound.samples, sound.rate)
        points.append(Point(title, "mix", f"folder {number % 2}", ("t",), vector, told, path))
    return maps.write(maps.draw(points), folder / "map.html").as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    yield page
    assert page.title() == "Mixing styles"
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert sum(url.startswith("file:") for url in asked) == 1
    assert said == []


def wait_for(page: Any, condition: str) -> None:
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {condition}")


def test_pointing_tells_and_clicking_plays(page: Any) -> None:
    page.locator("#spot-1").hover()
    assert page.locator("#card strong").inner_text() == HOSTILE
    page.locator("#spot-1").click()
    wait_for(page, "document.querySelector('#spot-1').classList.contains('playing')")
    page.locator("#spot-2").click()
    wait_for(page, "document.querySelectorAll('.spot.playing').length === 1")
    wait_for(page, "document.querySelector('#spot-2').classList.contains('playing')")
    page.click("#stop")
    assert page.locator(".spot.playing").count() == 0
    page.locator("#spot-0").click()
    assert page.locator(".spot.playing").count() == 0
    assert "no sound here" in page.locator("#card").inner_text()


def test_an_excerpt_ends_by_itself(page: Any) -> None:
    page.locator("#spot-3").click()
    wait_for(page, "document.querySelectorAll('.spot.playing').length === 1")
    wait_for(page, "document.querySelectorAll('.spot.playing').length === 0")


def test_keys_walk_play_and_stop(page: Any) -> None:
    page.locator(".spot[tabindex='0']").focus()
    seen = set()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        seen.add(page.evaluate("document.activeElement.id"))
    assert len(seen) > 1
    assert all(name.startswith("spot-") for name in seen)
    page.locator("#spot-4").focus()
    page.keyboard.press("Enter")
    wait_for(page, "document.querySelector('#spot-4').classList.contains('playing')")
    page.keyboard.press("Escape")
    assert page.locator(".spot.playing").count() == 0
    before = page.locator("#drawing").get_attribute("viewBox")
    page.keyboard.press("+")
    assert page.locator("#drawing").get_attribute("viewBox") != before


def test_finding_and_hiding(page: Any) -> None:
    page.fill("#find", "song 5")
    assert page.locator(".spot:not(.dim)").count() == 1
    page.fill("#find", "")
    page.locator(".legend input").first.uncheck()
    assert page.locator(".spot.off").count() == 4
    page.locator("summary").click()
    assert page.locator("tbody tr:visible").count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_and_a_phone(browser: Any, address: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme, has_touch=True)
    page = context.new_page()
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, colour[4:-1].split(","))) < 300) == (scheme == "dark")
    page.locator("#spot-5").tap()
    assert page.locator("#card strong").inner_text() == "song 5"
    assert page.locator("#spot-5 .reach").bounding_box()["width"] >= 24
    context.close()
