"""The way from one reference to another, for one input: both plain transfers, and what lies between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from styletransfer import converters, mixdown
from styletransfer.applying import render, render_at
from styletransfer.audio import Audio
from styletransfer.clock import Clock
from styletransfer.closeness import distance
from styletransfer.converter.console import MASTER, STRIP, Settings, clamped
from styletransfer.converters import Converter, LoadedTCN
from styletransfer.converting import check, encoder_of
from styletransfer.document import Asked, Console, Document, Figures, Gate, Warned
from styletransfer.encoder.measures import Measures, measure
from styletransfer.errors import UsageError
from styletransfer.hearing import Input, Span, hear
from styletransfer.notes import Note
from styletransfer.pipeline import carry_over, requested
from styletransfer.proposed import Proposed, with_added
from styletransfer.reference import Reference, check_stems, mixed, with_stems
from styletransfer.result import Result, result_of
from styletransfer.separation import Separator, choose, confidence
from styletransfer.sources import Progress, Sound
from styletransfer.stem_cache import StemCache

from .settings import between
from .sweeping import Rung, ladder, sweep

SPACES = ("console", "embedding")
_ANCHORS = 4  # equal parts of the way that a sweep through the embedding space converts at


def interpolate(
    input: Sound | None,
    first: Sound | Reference,
    second: Sound | Reference,
    *,
    stem_references: Mapping[str, Sound | Reference] | None = None,
    space: str = "console",
    sweeping: bool = False,
    separator: str | Separator = "auto",
    repo: Path | None = None,
    stems_in: Path | None = None,
    in_range: Span = None,
    converter: str = "auto",
    preview_s: float | None = None,
    device: str = "cpu",
    cache: StemCache | None = None,
    progress: Progress = lambda stage, fraction: None,
    **asked: Any,
) -> Interpolation:
    """The way of `input` from a first reference to a second.

    stem_references   stem → the reference of that stem alone, all the way; often one of both.
    space    "console": the settings of both transfers are interpolated, knob by knob on perceptual scales.
             "embedding": what a converter reads of both references (measures, embeddings) is, and converted.
    sweeping  a sweep or settings on the way will be asked for, which not every converter has.
    Everything else is as `pipeline.transfer` has it, the errors too; UsageError for another space, and for
    settings of a converter that has none.
    """
    if space not in SPACES:
        raise UsageError(f"there is no space {space!r}; choose {' or '.join(SPACES)}")
    request = requested(asked)
    clock = Clock(progress)
    for_stems = stem_references or {}
    check_stems(for_stems)
    used = choose(separator, repo=repo, device=device) if isinstance(separator, str) else separator
    network = converters.choose(converter, device)
    check(network, request)
    if sweeping or space == "console":
        _check_settings(network)
    if space == "embedding" and request.refine:
        raise UsageError(
            "what lies between two references has no sound to refine by; leave out --refine, or take --space "
            "console, where both ends are refined"
        )
    ours, (one, other), heard_for_stems = hear(
        input,
        [first, second],
        for_stems,
        used,
        stems_in=stems_in,
        reference_stems=None,
        in_range=in_range,
        reference_range=None,
        preview_s=preview_s,
        confident=confidence.COUNTS,
        encoder=encoder_of(network, converter, device) if network else None,
        cache=cache,
        clock=clock,
    )
    return Interpolation(ours, (one, other), heard_for_stems, request, used, network, space, clock)


class Interpolation:
    """One input between two references, everything heard and nothing rendered yet.

    `first` and `second` are the plain transfers, with the stems' own references; `at(0)` and `at(1)` are
    the same.
    """

    def __init__(
        self,
        ours: Input,
        references: tuple[Reference, Reference],
        stem_references: Mapping[str, Reference],
        request: Asked,
        separator: Separator,
        network: Converter | None,
        space: str,
        clock: Clock,
    ) -> None:
        self._ours, self._references, self._stem_references = ours, references, stem_references
        self._request = request
        self._separator, self._network, self._space, self._clock = separator, network, space, clock
        self._converted: dict[float, Result] = {}

    @cached_property
    def first(self) -> Result:
        """The plain transfer to the first reference, stems with a reference of their own following that."""
        return self._transferred(0.0)

    @cached_property
    def second(self) -> Result:
        """The same to the second."""
        return self._transferred(1.0)

    def at(self, at: float) -> Result:
        """The mix at `at` of the way. UsageError outside 0 to 1."""
        if not 0 <= at <= 1:
            raise UsageError(f"{at:g} is not on the way; give a number from 0 to 1")
        if at in (0, 1):
            return self.second if at else self.first
        return self._transferred(at) if self._space == "embedding" else self._rendered(at)

    def steps(self, count: int) -> Iterator[Result]:
        """So many mixes, evenly from the first reference to the second. UsageError below two."""
        if count < 2:
            raise UsageError(f"{count} steps are no way; take at least 2")
        for step in range(count):
            yield self.at(step / (count - 1))

    def rung_at(self, at: float) -> Rung:
        """All strips' settings at `at` of the way, as they are rendered there. UsageError where the
        converter sets none."""
        _check_settings(self._network)
        parts = 1 if self._space == "console" else _ANCHORS
        part = min(int(at * parts), parts - 1)
        first, second = (self._console_at((part + end) / parts) for end in (0, 1))
        inside = at * parts - part
        strips = {
            name: between(STRIP, settings, second.stems()[name], inside)
            for name, settings in first.stems().items()
        }
        return Rung(strips, between(MASTER, first.master, second.master, inside))

    def sweep(self) -> Audio:
        """A mix that moves from the first reference to the second while it plays, after the input's length
        and channels: at rest in the first and the last twentieth, evenly between."""
        with self._clock("finding the way"):
            rungs = ladder(self.rung_at)
        song = self._ours.song.audio
        with self._clock("sweeping") as done:
            swept = sweep(song.with_channels(2), self._ours.played, rungs, done)
        return swept.with_channels(self._request.channels or song.channels)

    def _console_at(self, at: float) -> Console:
        if at in (0, 1):
            return (self.second if at else self.first).document.console
        if at not in self._converted:
            self._converted[at] = self._transferred(at)
        return self._converted[at].document.console

    def _transferred(self, at: float) -> Result:
        asked = self._request, self._separator, self._clock, self._network
        retouch = None
        if at not in (0, 1) and self._request.polish:
            ends = (self.first, 1 - at), (self.second, at)
            added = [(end.document.proposed["master"].refinement, share) for end, share in ends]
            retouch = partial(_retouched, added)
        return carry_over(self._reference_at(at), self._ours, *asked, retouch)

    def _reference_at(self, at: float) -> Reference:
        return with_stems(mixed(self._references, (1 - at, at)), self._stem_references)

    def _rendered(self, at: float) -> Result:
        rung = self.rung_at(at)
        ours, theirs = self._ours, self._reference_at(at)
        with self._clock("rendering"):
            audio, master = self._levelled(rung)
        with self._clock("measuring"):
            passage = audio if ours.span_s is None else audio.excerpt(*ours.span_s)
            reached = measure(passage.samples, passage.rate)
            after = Figures.of(mixdown.meter_of(audio), reached, {})
        ends = self.first.document, self.second.document
        warnings = {(told.code, told.strip): told for end in ends for told in end.warnings}
        gate = self._gate(at, reached, theirs)
        if gate.distance_kept > gate.distance_input:
            told = f"{gate.distance_input:.1f} before, {gate.distance_kept:.1f} after"
            message = (
                f"the mix came no closer to what lies between the references ({told}); take another point, "
                "or --space embedding, which matches every point anew"
            )
            note = Note("between-farther", message)
            warnings[note.code, None] = Warned(code=note.code, message=note.message)
        document = Document(
            input=ends[0].input,
            references=theirs.sources,
            separator=ends[0].separator,
            asked=self._request,
            console=Console(**rung.strips, master=master),
            proposed=self._proposed(at),
            converter=ends[0].converter,
            gate=gate,
            before=ends[0].before,
            after=after,
            reference_figures=Figures.of(theirs.loudness, theirs.measures.mix, theirs.measures.stems),
            warnings=list(warnings.values()),
            timings_s=self._clock.seconds,
        )
        return result_of(audio, document, ours.song, ours.played, theirs.song, theirs.stems)

    def _levelled(self, rung: Rung) -> tuple[Audio, Settings]:
        """The mix of settings on the way, and its master: a loudness that was asked for in itself is reached,
        where one that follows the references lies between theirs."""
        ours, asked = self._ours, self._request.lufs
        stereo = ours.song.audio.with_channels(2)
        if asked in ("match-ref", "off") or "master" in self._request.lock:
            return render(stereo, ours.played, rung.strips, rung.master), rung.master
        target = ours.loudness.integrated_lufs
        if isinstance(asked, float):
            mono = (self._request.channels or ours.song.audio.channels) == 1
            target = asked + (mixdown.DUAL_MONO_LU if mono else 0.0)
        return render_at(target, stereo, ours.played, rung.strips, rung.master)

    def _gate(self, at: float, reached: Measures, theirs: Reference) -> Gate:
        """How far a mix is from what lies between the references; it stays, as steps would jump."""
        before, after = (
            distance(heard, theirs.measures.mix).total for heard in (self._ours.measures.mix, reached)
        )
        ends = self.first.document.gate, self.second.document.gate
        assert ends[0] is not None  # every transfer has one
        assert ends[1] is not None
        first, second = ends[0].amounts, ends[1].amounts
        blended = {name: (1 - at) * first[name] + at * second[name] for name in first}
        return Gate(distance_input=before, distance_full=after, distance_kept=after, amounts=blended)

    def _proposed(self, at: float) -> dict[str, Proposed]:
        """Who set a knob how far: what each step came to lies between the two transfers', too."""
        first, second = self.first.document.proposed, self.second.document.proposed
        found = {}
        for name, one in first.items():
            table = MASTER if name == "master" else STRIP
            told = {stage: table[stage] for stage in one.closed_form}
            ends = zip(one.steps(told), second[name].steps(told), strict=True)
            found[name] = Proposed.of(told, *(between(told, *both, at) for both in ends))
        return found


def _retouched(added: Sequence[tuple[Settings, float]], master: Settings) -> Settings:
    """A matched master with its shares of what polishing added at both ends: nothing between two references
    has a sound to polish by, and without it the way would begin and end with a step."""
    for refinement, share in added:
        master = with_added(MASTER, master, refinement, share)
    return clamped(MASTER, master)


def _check_settings(network: Converter | None) -> None:
    if isinstance(network, LoadedTCN):
        raise UsageError(
            "the tcn converter sets no knobs that could be interpolated or swept; take --space embedding "
            "with --at or --steps, or --converter console or closed"
        )
