"""One song on the console: rendered at any amounts, to any loudness, as often as the gate asks."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from styletransfer import mixdown, treating
from styletransfer.audio import Audio
from styletransfer.closeness import distance, stems_apart
from styletransfer.converter.console import (
    MASTER,
    STRIP,
    Settings,
    at_rest,
    keeping,
    neutral,
    scaled,
)
from styletransfer.document import Asked
from styletransfer.encoder.loudness import Loudness
from styletransfer.encoder.measures import Measures, measure, moved
from styletransfer.gate import Amounts
from styletransfer.hearing import Input
from styletransfer.matching import fit_glue, match_master, on_both
from styletransfer.notes import Note
from styletransfer.proposed import Proposed
from styletransfer.reference import Reference
from styletransfer.threads import spread
from styletransfer.treating import TreatedStems

CEILING_KNOB = MASTER["limiter"].knobs["ceiling_db"]
CEILING_DB = CEILING_KNOB.neutral
"""The true peak that an output keeps to, unless its input already went beyond."""

INAUDIBLE_DB = 3.0
"""What the limiter may take off peaks for the reference's loudness alone."""


Correction = Callable[[Audio, Settings], Settings]
"""(the bus in front of the master, its matched settings) → corrected settings."""


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One rendering: the sound, the settings and treated stems as rendered, and what was measured of it."""

    audio: Audio
    strips: dict[str, Settings]
    treated: TreatedStems
    master: Settings
    loudness: Loudness
    measures: Measures
    notes: list[Note]


class Desk:
    """Renders a song's stems through their strips and the master, by difference.

    Stages and strips that the request or a mono output rules out are made neutral here.
    treated   stems that a network changed, before amounts.
    correct   what a network makes of the master's settings, from the bus in front of it.
    """

    def __init__(
        self,
        ours: Input,
        theirs: Reference,
        asked: Asked,
        treated: TreatedStems | None = None,
        correct: Correction | None = None,
    ) -> None:
        self._song, self._stems, self._span_s = ours.song.audio.with_channels(2), ours.played, ours.span_s
        self._ours, self._theirs, self._asked = ours, theirs, asked
        self._mono = (asked.channels or ours.song.audio.channels) == 1
        most = max(asked.amounts.values())
        self._relative = {name: asked.amounts[name] / most if most else 1.0 for name in self._stems}
        self._treated = {n: one for n, one in (treated or {}).items() if n not in asked.lock}
        self._strips: dict[str, Settings] = {}
        self._correct = correct
        self._master = self._matched_master = self._corrected_master = neutral(MASTER)
        self._bus: tuple[Amounts, Audio] | None = None

    def match(self, strips: dict[str, Settings]) -> list[Note]:
        """Take over the stems' settings, and match the master to what the bus lacks, in two looks."""
        self._strips = {name: self._allowed(name, settings) for name, settings in strips.items()}
        if self._locked:
            return []
        bus, groups = self.bus, self._asked.groups
        heard = self._measured(bus)
        theirs = self._wanted(heard)
        first, _ = match_master(heard, theirs, groups=groups)
        behind = mixdown.master_bus(bus, self._allowed("master", first))
        measures = self._measured(behind)
        master, notes = match_master(measures, theirs, first, groups=groups)
        master["compressor"] = fit_glue(self._passage(behind), measures, theirs) or master["compressor"]
        if self._mono and "width" in groups and theirs.width_db > -30:
            notes = [note for note in notes if note.code != "mono-input"]
            notes.append(Note("mono-output", "the output is mono, so width is left alone", "master"))
        self._matched_master = self._allowed("master", master)
        matches = at_rest(MASTER, master)
        if self._correct is not None and not matches and not self.knows_master:
            master = self._correct(self._passage(bus), master)
        self._master = self._corrected_master = self._allowed("master", master)
        return notes

    def anew(self) -> Desk:
        """A desk of the same sides, asked alike, before any match."""
        return Desk(self._ours, self._theirs, self._asked, self._treated, self._correct)

    def turn_master(self, settings: Settings) -> None:
        """Set the master otherwise than it was matched."""
        self._master = self._allowed("master", settings)

    def with_master(self, settings: Settings) -> Desk:
        """The same desk with the master set otherwise."""
        other = copy.copy(self)
        other.turn_master(settings)
        return other

    def proposed(self, *steps: dict[str, Settings]) -> dict[str, Proposed]:
        """How the strips' settings came about, before amounts; without the master's gain and limiter, which
        are set to the loudness of what is rendered.

        steps  settings by strip, "master" among them: of the closed form, with the network's, refined.
        """
        found = {}
        for name in steps[0]:
            table = MASTER if name == "master" else STRIP
            told = [stage for stage in table if name != "master" or stage not in ("gain", "limiter")]
            each = [self._allowed(name, step[name]) for step in steps]
            found[name] = Proposed.of(table, *({stage: one[stage] for stage in told} for one in each))
        return found

    def of_pieces(self, cut: Callable[[Audio], Audio]) -> Audio:
        """What some pieces of the song become by the settings alone, their master rendered for themselves."""
        ours = replace(
            self._ours, song=replace(self._ours.song, audio=cut(self._ours.song.audio)), span_s=None
        )
        desk = Desk(ours, self._theirs, self._asked)
        desk._strips, desk._master = self._strips, self._master
        desk._bus = self._relative, cut(self.bus)
        return desk.render(self._relative | {"master": 1.0}).audio

    @property
    def bus(self) -> Audio:
        """The song in front of the master as that is matched to it: its strips at their amounts, of the
        largest asked, so that half of everything is half the way."""
        return self._stem_bus(self._relative)

    @property
    def knows_master(self) -> bool:
        """Whether the reference's master is known, from a mix and the stems that it was made of."""
        return self._theirs.stem_sum is not None and self._ours.stem_sum is not None

    @property
    def treated(self) -> bool:
        """Whether a network changed stems before their strips."""
        return bool(self._treated)

    @property
    def strips(self) -> dict[str, Settings]:
        """The stems' settings before amounts."""
        return self._strips

    @property
    def master(self) -> Settings:
        """The master's settings before amounts."""
        return self._master

    @property
    def matched_master(self) -> Settings:
        """The same as the closed form matched them."""
        return self._matched_master

    @property
    def corrected_master(self) -> Settings:
        """The same with a network's residuals, where one sets the master."""
        return self._corrected_master

    def render(self, amounts: Amounts) -> Attempt:
        """The song at some amount of each strip and of the master; at 0 throughout, the input itself."""
        strips = {name: scaled(STRIP, settings, amounts[name]) for name, settings in self._strips.items()}
        treated = treating.scaled(self._treated, amounts)
        master = scaled(MASTER, self._master, amounts["master"])
        bus = mixdown.master_bus(self._stem_bus({n: a for n, a in amounts.items() if n != "master"}), master)
        if bus is self._song and not self._level_asked(amounts["master"]):
            master["limiter"]["ceiling_db"] = self._safe_ceiling_db()
            loudness, measures = self._ours.loudness, self._ours.measures.mix
            return Attempt(self._song, strips, treated, master, loudness, measures, [])
        meter = self._ours.loudness if bus is self._song else mixdown.loudness_of(bus)
        target_lufs = self._target_lufs(amounts["master"])
        ceiling_db, reach_db = self._limits_db(bus, meter, target_lufs, amounts["master"])
        release_ms = master["limiter"]["release_ms"]
        if self._locked:
            guarded = mixdown.apply_level(bus, 0.0, ceiling_db, release_ms)
            levelled = mixdown.Levelled(guarded, gain_db=0.0, reduction_db=0.0, short_by_lu=0.0)
        else:
            levelled = mixdown.level(bus, meter, target_lufs, ceiling_db, release_ms, reach_db)
        master["gain"]["gain_db"] = levelled.gain_db
        master["limiter"]["ceiling_db"] = ceiling_db
        notes = []
        if levelled.short_by_lu > 0.5:
            notes.append(
                Note(
                    "loudness-missed",
                    f"the result is {levelled.short_by_lu:.1f} LU below its loudness target: the limiter "
                    f"stops at {reach_db:.0f} dB",
                    "master",
                )
            )
        after = mixdown.loudness_of(levelled.audio)
        measures = self._measured(levelled.audio)
        return Attempt(levelled.audio, strips, treated, master, after, measures, notes)

    def distance_of(self, attempt: Attempt | None) -> float:
        """How far a rendering, or the input (None), lies from the reference.

        Mix from mix; where both sides' own stems are here, stem from stem: between two mixes lies what the
        pieces are, too.
        """
        ours, theirs = self._ours.measures, self._theirs.measures
        names = on_both(ours, theirs)
        if not self.knows_master or not names:
            return distance(ours.mix if attempt is None else attempt.measures, theirs.mix).total
        heard = (
            ours.stems
            if attempt is None
            else dict(zip(names, spread(self._behind(attempt), names), strict=True))
        )
        return stems_apart(heard, {name: theirs.stems[name] for name in names})

    def _behind(self, attempt: Attempt) -> Callable[[str], Measures]:
        """What measures a stem behind its strip, as an attempt has it."""

        def heard(name: str) -> Measures:
            settings, treated = attempt.strips[name], attempt.treated.get(name)
            return self._measured(mixdown.processed_stem(self._stems[name], settings, treated))

        return heard

    def _wanted(self, bus: Measures) -> Measures:
        """What the master should make of the bus: the reference's mix; where both sides' own stems are here,
        the bus with what the reference's master did to its stems' sum, less what the input's own did."""
        theirs, ours = self._theirs, self._ours
        if theirs.stem_sum is None or ours.stem_sum is None:
            return theirs.measures.mix
        return moved(moved(bus, theirs.stem_sum, theirs.measures.mix), ours.measures.mix, ours.stem_sum)

    def _passage(self, audio: Audio) -> Audio:
        return audio if self._span_s is None else audio.excerpt(*self._span_s)

    def _measured(self, audio: Audio) -> Measures:
        passage = self._passage(audio)
        return measure(passage.samples, passage.rate)

    def _stem_bus(self, amounts: Amounts) -> Audio:
        if self._bus is None or self._bus[0] != amounts:
            strips = {name: scaled(STRIP, settings, amounts[name]) for name, settings in self._strips.items()}
            self._bus = None
            treated = treating.scaled(self._treated, amounts)
            self._bus = amounts, mixdown.mix_bus(self._song, self._stems, strips, treated)
        return self._bus[1]

    def _allowed(self, name: str, settings: Settings) -> Settings:
        """Only the groups that were asked for; nothing between left and right where the output is mono."""
        table = MASTER if name == "master" else STRIP
        kept = keeping(table, settings, self._asked.groups)
        if self._mono:
            kept |= {stage: neutral(table)[stage] for stage in ("side_eq", "width", "balance")}
        return neutral(table) if name in self._asked.lock else kept

    def _level_asked(self, amount: float) -> bool:
        """Whether the output's loudness is to differ from the input's."""
        return isinstance(self._asked.lufs, float) or (amount > 0 and self._asked.lufs == "match-ref")

    @property
    def _locked(self) -> bool:
        """Whether the master stays neutral but for the limiter, which guards."""
        return "master" in self._asked.lock

    def _target_lufs(self, amount: float) -> float | None:
        """The loudness of the stereo bus that gives the output its target."""
        dual = mixdown.DUAL_MONO_LU if self._mono else 0.0
        ours, theirs = self._ours.loudness.integrated_lufs, self._theirs.loudness.integrated_lufs + dual
        asked = self._asked.lufs
        if asked == "off" or self._locked or not math.isfinite(ours):
            return None
        if isinstance(asked, float):
            return asked + dual
        if asked == "match-input" or not math.isfinite(theirs):
            return ours
        return ours + amount * (theirs - ours)

    def _safe_ceiling_db(self) -> float:
        asked = self._asked.true_peak_db
        return CEILING_KNOB.clamp(
            max(CEILING_DB, self._ours.loudness.true_peak_db) if asked is None else asked
        )

    def _limits_db(
        self, bus: Audio, meter: Loudness, target_lufs: float | None, amount: float
    ) -> tuple[float, float]:
        """The limiter's ceiling, and the most that it takes off.

        The ceiling is the safe one, or lower where the reference's peaks stand out less: their height over
        the RMS moves from the input's to the reference's with the amount, as far as the limiter's reach
        goes. Where the reference's stand out more, its loudness is no reason to flatten peaks by more than
        INAUDIBLE_DB: it is missed instead. Not a loudness that was asked for itself.
        """
        ours, theirs, safe = self._ours, self._theirs, self._safe_ceiling_db()
        known = math.isfinite(theirs.loudness.integrated_lufs) and math.isfinite(meter.integrated_lufs)
        if target_lufs is None or not known or "dynamics" not in self._asked.groups:
            return safe, mixdown.REDUCTION_DB
        wanted = ours.measures.mix.crest_db
        wanted += amount * (theirs.measures.mix.crest_db - wanted)
        louder = target_lufs - meter.integrated_lufs
        rms_db = 20 * math.log10(max(bus.rms, 1e-10))
        spare = max(0.0, meter.true_peak_db - rms_db - wanted)
        reach = mixdown.REDUCTION_DB
        if self._asked.lufs == "match-ref":
            reach = min(reach, spare + INAUDIBLE_DB)
        ceiling = max(rms_db + louder + wanted, meter.true_peak_db + louder - reach, CEILING_KNOB.low)
        return min(safe, ceiling), reach
