"""Where does the error sit? One effect of one stem at a time, all others as they should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from styletransfer.converter import fx
from styletransfer.converter.console import MASTER, STRIP, Settings, is_neutral, neutral
from styletransfer.converter.rendering import stages_of
from styletransfer.corpus.folder import RATE
from styletransfer.tasks import StemSamples, apply_settings

from .answers import as_loud
from .spectral import Truth

EFFECTS: dict[str, tuple[str, ...]] = {
    "tone": ("eq", "side_eq"),
    "dynamics": ("compressor", "expander"),
    "saturation": ("saturation",),
    "image": ("width", "balance"),
    "space": ("reverb",),
}
"""What is blamed → the stages of a strip that are exchanged for it."""

LEVEL, MASTER_PART, SEPARATION = "level", "master", "separation"
ROWS = (LEVEL, *EFFECTS, MASTER_PART, SEPARATION)
SIZE = 2048
"""One size of the spectral distance is enough to tell effects apart, at a quarter of the time."""

_LINEAR_MASTER = ("eq", "side_eq", "width", "balance")


def blame(
    dry: StemSamples,
    truth: Mapping[str, Tensor],
    right: Mapping[str, Settings],
    found: Mapping[str, Settings],
    wet: Mapping[str, Tensor],
    master: Settings | None = None,
) -> dict[str, dict[str, float]]:
    """Stem → what is to blame → the spectral distance on left/right that it alone would leave.

    dry, truth    the task's stems; `wet` the system's, of which only the loudness is heard.
    right, found  the true settings of each strip and the system's; `master` what came after them.
    Each effect's settings take the true ones' place, and what comes out, as loud as it should be, is compared
    with what all true settings make of the same stem. What is missing in loudness is the level's. What these
    leave to the truth itself is the separation's: nothing for true stems.
    """
    return {
        name: dict(_blame(dry[name], truth[name], settings, found[name], wet[name], master))
        for name, settings in right.items()
    }


def _blame(
    dry: Tensor, truth: Tensor, right: Settings, found: Settings, wet: Tensor, master: Settings | None
) -> Iterator[tuple[str, float]]:
    best = apply_settings({"": dry}, {"": right})[""]
    aim = Truth(best, (SIZE,))

    def missed(sound: Tensor) -> float:
        return aim.distance(as_loud(sound, best)).left_right

    yield LEVEL, aim.distance(as_loud(best, wet)).left_right
    for effect, stages in EFFECTS.items():
        changed = right | {stage: found[stage] for stage in stages}
        alike = all(_same(stage, right[stage], found[stage]) for stage in stages)
        yield effect, 0.0 if alike else missed(apply_settings({"": dry}, {"": changed})[""])
    if master is not None:
        linear = neutral(MASTER) | {stage: master[stage] for stage in _LINEAR_MASTER}
        yield MASTER_PART, missed(fx.render(best, stages_of(MASTER, linear, RATE)))
    yield SEPARATION, Truth(truth, (SIZE,)).distance(best).left_right


def _same(stage: str, first: dict[str, float], second: dict[str, float]) -> bool:
    return first == second or (is_neutral(STRIP[stage], first) and is_neutral(STRIP[stage], second))
