"""The whole path: separate both sides, measure, match, render by difference, check, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from pydantic import ValidationError

from styletransfer import files, mixdown
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.converter.console import MASTER, STRIP, scaled
from styletransfer.desk import Desk, Side
from styletransfer.document import Asked, Console, Document, Figures, Gate, SeparatorUsed, Warned, explained
from styletransfer.encoder.measures import Measures, measure
from styletransfer.errors import ConfigError, UsageError
from styletransfer.gate import Amounts, Verdict, decide
from styletransfer.matching import SongMeasures, fit_dynamics, match_stems
from styletransfer.notes import Note
from styletransfer.result import Result, result_of, source_of
from styletransfer.separation import Separator, choose, confidence, read_stems
from styletransfer.sources import Progress, Song, Sound, from_stems, load, loudest
from styletransfer.stem_cache import StemCache, separate_cached, stem_key


def transfer(
    input: Sound | None,
    reference: Sound,
    *,
    separator: str | Separator = "auto",
    repo: Path | None = None,
    stems_in: Path | None = None,
    reference_stems: Path | None = None,
    in_range: tuple[float, float] | None = None,
    reference_range: tuple[float, float] | None = None,
    preview_s: float | None = None,
    device: str = "cpu",
    cache: StemCache | None = None,
    confident: bool = confidence.COUNTS,
    progress: Progress = lambda stage, fraction: None,
    **asked: Any,
) -> Result:
    """Make `input` sound as if the reference's engineer had mixed it.

    input, reference   a path, an Audio, or (samples, rate). Without input the `stems_in` are summed.
    separator          "auto", "builtin", a demucs model's name, or a Separator.
    stems_in           a folder of ready-made stems of the input; `reference_stems` of the reference.
    in_range           (from, to) in seconds: the passage that is measured; likewise `reference_range`.
    preview_s          transfer only the loudest stretch of so many seconds.
    cache              where separated stems are kept; the user's cache unless given.
    confident          change a separated stem less, the less of it is its own.
    asked              amount, stem_amounts, only, lufs, true_peak_db, channels, gate, seed: see
                       `document.Asked`.

    AudioError, SeparationError, UsageError or ConfigError say in a sentence what can't be done.
    """
    request = _request(asked)
    clock = _Clock(progress)
    cache = cache or StemCache()
    used = choose(separator, repo=repo, device=device) if isinstance(separator, str) else separator
    with clock("reading"):
        song, dry = _input(input, stems_in, preview_s)
        theirs = load(reference, "the reference")
    their_dry = None if reference_stems is None else read_stems(reference_stems, theirs.audio)
    both_ready = dry is not None and their_dry is not None
    with clock("separating reference") as done:
        their_stems = (
            their_dry if both_ready and their_dry else separate_cached(theirs.audio, used, cache, done)
        )
    with clock("measuring reference"):
        reference_measures = _measured(theirs.audio, their_stems, reference_range, "reference")
        their_side = Side(
            mixdown.meter_of(_passage(theirs.audio, reference_range, "reference")), reference_measures.mix
        )
        their_confidence = confidence.confidences(theirs.audio, their_stems) if confident else {}
    with clock("separating input") as done:
        stems = dry if both_ready and dry else separate_cached(song.audio, used, cache, done)
    with clock("measuring input"):
        measures = _measured(song.audio, stems, in_range, "input")
        our_side = Side(mixdown.meter_of(song.audio.with_channels(2)), measures.mix)
        own_meter = our_side.meter if song.audio.channels == 2 else mixdown.meter_of(song.audio)
    played = stems if dry is None else dry
    desk = Desk(song.audio, played, our_side, their_side, request, in_range)
    with clock("matching"):
        strips, notes = match_stems(measures, reference_measures)
        passages = {
            name: stem if in_range is None else stem.excerpt(*in_range) for name, stem in stems.items()
        }
        strips = fit_dynamics(strips, measures, reference_measures, passages)
        if confident and not both_ready:
            ours = confidence.confidences(song.audio, stems)
            bears = confidence.bearable(ours, their_confidence)
            strips = {name: scaled(STRIP, settings, bears[name]) for name, settings in strips.items()}
            notes += confidence.leaks(ours, "the input")
            notes += confidence.leaks(their_confidence, "the reference")
        notes += desk.match(strips)
    full = dict.fromkeys((*STEMS, "master"), request.amount) | request.stem_amounts
    with clock("rendering"):
        attempt = desk.render(full)
    with clock("checking"):
        verdict = _checked(desk, request, full, measures.mix, attempt.measures)
        if verdict.amounts != full:
            attempt = desk.render(verdict.amounts)
            notes += _gate_notes(verdict, full)
    document = Document(
        input=source_of(song, in_range, dry is not None),
        reference=source_of(theirs, reference_range, their_dry is not None),
        separator=SeparatorUsed(name=used.name, fingerprint=used.fingerprint),
        asked=request,
        console=Console(**attempt.strips, master=attempt.master),
        gate=Gate(
            distance_input=verdict.distance_input,
            distance_full=verdict.distance_full,
            distance_kept=verdict.distance_kept,
            amounts=verdict.amounts,
        ),
        before=Figures.of(own_meter, measures.mix, measures.stems),
        after=Figures.of(attempt.meter, attempt.measures, {}),
        reference_figures=Figures.of(their_side.meter, reference_measures.mix, reference_measures.stems),
        warnings=[
            Warned(code=note.code, message=note.message, strip=note.strip) for note in notes + attempt.notes
        ],
        timings_s=clock.seconds,
    )
    return result_of(attempt.audio, document, song, played, theirs, their_stems)


def apply(
    document: Document | Path | str,
    input: Sound | None = None,
    *,
    stems_in: Path | None = None,
    amount: float = 1.0,
    repo: Path | None = None,
    device: str = "cpu",
    cache: StemCache | None = None,
    progress: Progress = lambda stage, fraction: None,
) -> Result:
    """Render an input with saved settings, through the separator that the document names.

    The settings' own input gets them as they stand. Another input gets them as a preset: its master
    gain is set anew, to the loudness that the settings' result had. Errors as `transfer`.
    amount   0 to 1 scales every strength once more.
    """
    document = document if isinstance(document, Document) else Document.load(Path(document))
    clock = _Clock(progress)
    cache = cache or StemCache()
    with clock("reading"):
        song, dry = _input(input, stems_in, None)
    notes = []
    own = song.key == document.input.sha256
    if dry is None:
        used = choose(document.separator.name, repo=repo, device=device)
        if own and document.input.ready_stems:
            notes.append(Note("stems-separated-again", "the ready-made stems are not here: separated anew"))
        elif own and cache.get(stem_key(song.audio, used)) is None:
            notes.append(
                Note("stems-separated-again", "the stems were no longer kept, so they were separated again")
            )
        if used.fingerprint != document.separator.fingerprint:
            notes.append(Note("separator-changed", f"{used.name} has changed since the settings were made"))
        with clock("separating input") as done:
            dry = separate_cached(song.audio, used, cache, done)
    strips = {name: scaled(STRIP, settings, amount) for name, settings in document.console.stems().items()}
    master = scaled(MASTER, document.console.master, amount)
    with clock("rendering"):
        stereo = song.audio.with_channels(2)
        bus = mixdown.master_bus(mixdown.mix_bus(stereo, dry, strips), master)
        limiter = master["limiter"]
        if amount < 1:  # the ceiling comes down from the input's own peak with the amount
            open_db = max(limiter["ceiling_db"], mixdown.meter_of(stereo).true_peak_db)
            limiter["ceiling_db"] = open_db + amount * (limiter["ceiling_db"] - open_db)
        target = document.after.levels.integrated_lufs if document.after else None
        if own or target is None:
            gain_db = master["gain"]["gain_db"]
            untouched = bus is stereo and gain_db == 0
            audio = stereo if untouched else mixdown.apply_level(bus, gain_db, **limiter)
        else:
            notes.append(
                Note("preset", f"these settings were made for {document.input.name}; the gain was set anew")
            )
            mono = (document.asked.channels or song.audio.channels) == 1
            target += mixdown.DUAL_MONO_LU if mono else 0.0
            levelled = mixdown.level(bus, mixdown.meter_of(bus), target, **limiter)
            audio, master["gain"]["gain_db"] = levelled.audio, levelled.gain_db
    with clock("measuring"):
        after = Figures.of(mixdown.meter_of(audio), measure(audio.samples, audio.rate), {})
    rendered = Document(
        input=source_of(song, None, stems_in is not None),
        reference=document.reference,
        separator=document.separator,
        asked=document.asked,
        console=Console(**strips, master=master),
        after=after,
        reference_figures=document.reference_figures,
        warnings=[Warned(code=note.code, message=note.message, strip=note.strip) for note in notes],
        timings_s=clock.seconds,
    )
    return result_of(audio, rendered, song, dry)


def _request(asked: dict[str, Any]) -> Asked:
    try:
        return Asked(**{"amount": 1.0} | asked)
    except ValidationError as error:
        raise ConfigError(explained(error)) from error


def _input(input: Sound | None, stems_in: Path | None, preview_s: float | None) -> tuple[Song, Stems | None]:
    """The song, and its ready-made stems where there are some."""
    if stems_in is None:
        if input is None:
            raise UsageError("there is no input; give a mix, or a folder of stems")
        song = load(input, "the input")
        return (song if preview_s is None else loudest(song, preview_s)), None
    if preview_s is not None:
        raise UsageError("a preview of ready-made stems isn't possible; leave out one of the two")
    if input is None:
        return from_stems(stems_in)
    song = load(input, "the input")
    return song, read_stems(stems_in, song.audio)


def _checked(desk: Desk, request: Asked, full: Amounts, ours: Measures, reached: Measures) -> Verdict:
    """What the gate keeps."""
    before, after = desk.distance_of(ours), desk.distance_of(reached)
    if not request.gate or not any(full.values()):
        return Verdict(full, before, after, after)
    return decide(full, before, after, lambda amounts: desk.distance_of(desk.render(amounts).measures))


def _gate_notes(verdict: Verdict, full: Amounts) -> list[Note]:
    if verdict.closed:
        return [Note("gate-closed", "no amount brought the mix closer to the reference, so the input stands")]
    silenced = [name for name in STEMS if full[name] and not verdict.amounts[name]]
    if silenced:
        return [
            Note("gate-stem", f"the mix came closer without changing the {name}", name) for name in silenced
        ]
    kept, asked = verdict.amounts["master"], full["master"]
    return [Note("gate-reduced", f"an amount of {kept:.2f} came closer to the reference than {asked:.2f}")]


def _measured(mix: Audio, stems: Stems, span_s: tuple[float, float] | None, role: str) -> SongMeasures:
    def of(audio: Audio) -> Measures:
        passage = audio if span_s is None else audio.excerpt(*span_s)
        return measure(passage.samples, passage.rate)

    _passage(mix, span_s, role)
    return SongMeasures(of(mix), {name: of(stems[name]) for name in STEMS})


def _passage(audio: Audio, span_s: tuple[float, float] | None, role: str) -> Audio:
    """The passage that is measured; all of it where no span is given."""
    if span_s is None:
        return audio
    start_s, end_s = span_s
    if not 0 <= start_s < end_s or start_s >= audio.duration_s:
        raise UsageError(
            f"the {role}'s passage {start_s:g}-{end_s:g} s is not within its {audio.duration_s:.1f} s"
        )
    passage = audio.excerpt(start_s, end_s)
    files.check_usable(passage, f"the {role}'s passage {start_s:g}-{end_s:g} s")
    return passage


class _Clock:
    """Times the stages and tells their progress."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def __call__(self, stage: str) -> Iterator[Callable[[float], None]]:
        start = perf_counter()
        self._progress(stage, 0.0)
        yield lambda fraction: self._progress(stage, fraction)
        self._progress(stage, 1.0)
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + perf_counter() - start, 3)
