"""Knobs turned by hand after a transfer, and heard at once: only the strip that moved and the master render.

A passage of the song stands for it meanwhile; `finished` renders the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from pydantic import ValidationError
from torch import Tensor

from styletransfer import mixdown
from styletransfer.applying import render
from styletransfer.audio import STEMS, Audio
from styletransfer.clock import Clock
from styletransfer.converter.console import Settings
from styletransfer.document import Console, Figures, explained
from styletransfer.encoder.measures import measure
from styletransfer.errors import ConfigError
from styletransfer.result import Result, result_of
from styletransfer.sources import Progress
from styletransfer.treating import Treated

NETWORK = "network"
"""What the stage is called that comes before a stem's strip where a network made the stem anew."""

PASSAGE_S = 30.0
LEAD_S = 2.0
"""Rendered before the passage and not heard, so that compressors and rooms are under way when it begins."""


class Retouch:
    """A result whose knobs can be turned.

    console    every strip's settings as they stand now.
    treated    the passage of those stems that a network made anew, each with the amount of it as it stands;
               its knob is called `amount`, of a stage called NETWORK.
    passage_s  from and to, in seconds, of the passage that is heard: the input's loudest.
    """

    def __init__(self, result: Result, length_s: float = PASSAGE_S) -> None:
        self.result = result
        self.console = result.document.console.model_copy(deep=True)
        song = result.song.audio.with_channels(2)
        start_s, end_s = song.loudest_s(length_s)
        start_s = float(math.floor(start_s))  # whole seconds fall on a sample at every rate
        self.passage_s = start_s, min(end_s, song.duration_s)
        self._lead_s = min(start_s, LEAD_S)
        self._song = self._cut(song)
        self._stems = {name: self._cut(stem.with_channels(2)) for name, stem in result.dry_stems.items()}
        self.treated = {name: one.excerpt(*self._span_s) for name, one in result.treated.items()}
        self._processed: dict[str, tuple[Settings, Audio]] = {}
        self._differences: dict[str, tuple[Audio, Tensor]] = {}

    def turn(self, strips: Mapping[str, Settings]) -> None:
        """Set knobs of some strips: strip → stage → knob → value. ConfigError for what there isn't or is
        out of range; then nothing is turned."""
        settings, treated = self.console.model_dump(), dict(self.treated)
        for strip, stages in strips.items():
            if strip not in settings:
                raise ConfigError(f"there is no strip {strip!r}; there are {', '.join(settings)}")
            for stage, knobs in stages.items():
                if stage == NETWORK and strip in treated:
                    treated[strip] = _turned(treated[strip], knobs)
                else:
                    settings[strip][stage] = settings[strip].get(stage, {}) | knobs
        try:
            self.console = Console(**settings)
        except ValidationError as error:
            raise ConfigError(explained(error)) from error
        self.treated = treated

    def settings(self, strip: str) -> Settings:
        """Every knob of a strip as it stands, a network's amount among them."""
        settings: Settings = getattr(self.console, strip)
        return _with_network(settings, self.treated.get(strip))

    @property
    def first(self) -> dict[str, Settings]:
        """Every strip's knobs as the transfer set them."""
        console, treated = self.result.document.console, self.result.treated
        return {
            name: _with_network(settings, treated.get(name))
            for name, settings in (console.stems() | {"master": console.master}).items()
        }

    def stem(self, name: str) -> Audio:
        """The passage of one stem through its strip, in stereo."""
        return self._heard(self._stem_with_lead(name))

    def dry_stem(self, name: str) -> Audio:
        """The passage of one stem before its strip, in stereo."""
        return self._heard(self._stems[name])

    def input(self) -> Audio:
        """The passage of the input, in stereo."""
        return self._heard(self._song)

    def mix(self) -> Audio:
        """The passage of the mix as the knobs stand, in the output's channels."""
        differences = [found for name in STEMS if (found := self._difference(name)) is not None]
        bus = self._song
        if differences:
            bus = Audio(bus.samples + torch.stack(differences).sum(0), bus.rate)
        bus = mixdown.master_bus(bus, self.console.master)
        gain_db = self.console.master["gain"]["gain_db"]
        if bus is not self._song or gain_db:
            bus = mixdown.apply_level(bus, gain_db, **self.console.master["limiter"])
        return self._heard(bus.with_channels(self.result.mix.channels))

    def finished(self, progress: Progress = lambda stage, fraction: None) -> Result:
        """The whole song as the knobs stand; the transfer's own result where none was turned."""
        result, console, clock = self.result, self.console, Clock(progress)
        if all(self.settings(name) == settings for name, settings in self.first.items()):
            return result
        console = console.model_copy(deep=True)
        treated = {
            name: Treated(result.treated[name].whole, one.told)
            for name, one in self.treated.items()
            if one.told.amount
        }
        with clock("rendering"):
            audio = render(
                result.song.audio.with_channels(2), result.dry_stems, console.stems(), console.master, treated
            )
        with clock("measuring"):
            after = Figures.of(mixdown.meter_of(audio), measure(audio.samples, audio.rate), {})
        kept = [told for told in result.document.warnings if told.code not in ("clipped", "loudness-missed")]
        document = result.document.model_copy(
            update={
                "console": console,
                "treatments": {name: one.told for name, one in treated.items()},
                "after": after,
                "gate": None,  # it judged other settings
                "warnings": kept,
                "timings_s": clock.seconds,
            }
        )
        made = result_of(audio, document, result.song, result.dry_stems, treated=treated)
        return replace(made, reference=result.reference, reference_stems=result.reference_stems)

    def _stem_with_lead(self, name: str) -> Audio:
        settings, known = self.settings(name), self._processed.get(name)
        if known is None or known[0] != settings:
            treated = self.treated.get(name)
            if treated is not None and not treated.told.amount:
                treated = None
            wet = mixdown.processed_stem(self._stems[name], getattr(self.console, name), treated)
            known = self._processed[name] = settings, wet
        return known[1]

    def _difference(self, name: str) -> Tensor | None:
        """What a strip adds to the mix, at the song's rate; None where it changes nothing."""
        processed, dry = self._stem_with_lead(name), self._stems[name]
        if processed is dry:
            return None
        known = self._differences.get(name)
        if known is None or known[0] is not processed:
            added = Audio(processed.samples - dry.samples, dry.rate).at_rate(self._song.rate).samples
            samples = torch.zeros_like(self._song.samples)
            frames = min(added.shape[1], samples.shape[1])
            samples[:, :frames] = added[:, :frames]
            known = self._differences[name] = processed, samples
        return known[1]

    @property
    def _span_s(self) -> tuple[float, float]:
        """What is rendered, lead and passage."""
        return self.passage_s[0] - self._lead_s, self.passage_s[1]

    def _cut(self, audio: Audio) -> Audio:
        return audio.excerpt(*self._span_s)

    def _heard(self, audio: Audio) -> Audio:
        return audio.excerpt(self._lead_s, audio.duration_s)


def _turned(treated: Treated, knobs: Mapping[str, float]) -> Treated:
    unknown = sorted(knobs.keys() - {"amount"})
    if unknown:
        raise ConfigError(f"the network has no {unknown[0]!r}; it has amount")
    amount = knobs.get("amount", treated.told.amount)
    if not 0 <= amount <= 1:
        raise ConfigError(f"the network's amount is {amount:g}, outside 0 to 1")
    return Treated(treated.whole, treated.told.model_copy(update={"amount": amount}))


def _with_network(settings: Settings, treated: Treated | None) -> Settings:
    return settings if treated is None else {NETWORK: {"amount": treated.told.amount}, **settings}
