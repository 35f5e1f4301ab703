"""The whole path: separate both sides, measure, match, render by difference, check, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from styletransfer import converters
from styletransfer.clock import Clock
from styletransfer.converter.console import Settings
from styletransfer.converters import Converter, LoadedTCN
from styletransfer.converting import borne, check, converted, correction, encoder_of, treat
from styletransfer.desk import Attempt, Desk
from styletransfer.document import (
    Asked,
    Console,
    ConverterUsed,
    Document,
    Figures,
    Gate,
    SeparatorUsed,
    Warned,
    explained,
)
from styletransfer.errors import ConfigError
from styletransfer.gate import Amounts, Verdict, decide
from styletransfer.hearing import Input, Span, hear
from styletransfer.reference import Reference, check_stems, mixed, other_stems, shares_of, with_stems
from styletransfer.refining import polished, refined
from styletransfer.result import Result, result_of, source_of
from styletransfer.separation import Separator, choose, confidence
from styletransfer.sources import Progress, Sound
from styletransfer.stem_cache import StemCache
from styletransfer.treating import TreatedStems


def transfer(
    input: Sound | None,
    reference: Sound | Reference | list[Sound | Reference],
    *,
    weights: Sequence[float] | None = None,
    stem_references: Mapping[str, Sound | Reference] | None = None,
    separator: str | Separator = "auto",
    repo: Path | None = None,
    stems_in: Path | None = None,
    reference_stems: Path | None = None,
    in_range: Span = None,
    reference_range: Span = None,
    converter: str = "auto",
    preview_s: float | None = None,
    device: str = "cpu",
    cache: StemCache | None = None,
    confident: bool = confidence.COUNTS,
    progress: Progress = lambda stage, fraction: None,
    **asked: Any,
) -> Result:
    """Make `input` sound as if the reference's engineer had mixed it.

    input, reference   a path, an Audio, or (samples, rate). Without input the `stems_in` are summed.
                       A reference may also be a `reference.Reference`, or a list of references.
    weights            one per reference; equal unless given. What lies between them: see `blending`.
    stem_references    stem → the reference of that stem alone; the rest and the master follow `reference`.
    separator          "auto", "builtin", a demucs model's name, or a Separator.
    stems_in           a folder of ready-made stems of the input; `reference_stems` of the one reference.
                       Where both are whole, the master takes over what the reference's mix has beyond
                       the sum of its stems.
    in_range           (from, to) in seconds: the passage that is measured; likewise `reference_range`.
    converter          "closed" (the closed form alone), "console" (a network on top of it), "tcn" (a network
                       that makes stems anew, and leaves the master to the closed form), a .safetensors file
                       that `automix train converter` wrote, or "auto": console if its network is shipped.
    preview_s          transfer only the loudest stretch of so many seconds.
    cache              where separated stems are kept; the user's cache unless given.
    confident          change a separated stem less, the less of it is its own.
    asked              amount, stem_amounts, only, lock, lufs, true_peak_db, channels, gate, polish, refine,
                       seed: see `document.Asked`.

    AudioError, SeparationError, UsageError or ConfigError say in a sentence what can't be done.
    """
    request = requested(asked)
    clock = Clock(progress)
    references = reference if isinstance(reference, list) else [reference]
    shares_of(len(references), weights)
    for_stems = stem_references or {}
    check_stems(for_stems)
    used = choose(separator, repo=repo, device=device) if isinstance(separator, str) else separator
    network = converters.choose(converter, device)
    check(network, request)
    ours, heard, heard_for_stems = hear(
        input,
        references,
        for_stems,
        used,
        stems_in=stems_in,
        reference_stems=reference_stems,
        in_range=in_range,
        reference_range=reference_range,
        preview_s=preview_s,
        confident=confident,
        encoder=encoder_of(network, converter, device) if network else None,
        cache=cache,
        clock=clock,
    )
    theirs = with_stems(mixed(heard, weights), heard_for_stems)
    return carry_over(theirs, ours, request, used, clock, network)


def carry_over(
    theirs: Reference,
    ours: Input,
    request: Asked,
    separator: Separator,
    clock: Clock,
    network: Converter | None = None,
    retouch: Callable[[Settings], Settings] | None = None,
) -> Result:
    """Match an input to a reference, both already heard; render, check and report.

    retouch   what is done to the matched master in place of a polish.
    """
    full = request.amounts
    with clock("converting") as done:
        found = converted(theirs, ours, network, request.groups)
        steps, notes = found.steps, found.notes + other_stems(theirs, separator)
        treated: TreatedStems = {}
        if isinstance(network, LoadedTCN):
            told = {name: one for name, one in found.told.items() if one.amount and name not in request.lock}
            treated = treat(network, ours.played, told, done)
    start = Desk(ours, theirs, request, treated, correction(network, theirs, ours))
    with clock("matching"):
        strips = steps[-1]
        matched = start.match(strips)
        desk = start
        if retouch is not None:
            desk = start.with_master(retouch(start.master))
        elif request.polish:
            desk = polished(start, ours, theirs, request, full)
    if request.refine:
        with clock("refining") as done:
            bears = borne(theirs, ours)
            outcome = refined(start, desk, matched, ours, theirs, request, full, bears, done)
            desk, matched = outcome.desk, outcome.notes
            strips = outcome.strips or strips
    notes += matched
    with clock("rendering"):
        attempt = desk.render(full)
    with clock("checking"):
        verdict = _checked(desk, request, full, attempt)
        if verdict.amounts != full:
            attempt = desk.render(verdict.amounts)
            notes += verdict.notes(full)
    notes = [note for note in notes if note.strip not in request.lock]
    document = Document(
        input=source_of(ours.song, ours.span_s, ours.ready_stems),
        references=theirs.sources,
        separator=SeparatorUsed(name=separator.name, fingerprint=separator.fingerprint),
        asked=request,
        console=Console(**attempt.strips, master=attempt.master),
        converter=_used(network),
        treatments={name: one.told for name, one in attempt.treated.items()},
        proposed=desk.proposed(
            {**steps[0], "master": desk.matched_master},
            {**steps[-1], "master": desk.corrected_master},
            {**strips, "master": desk.master},
        ),
        gate=Gate(
            distance_input=verdict.distance_input,
            distance_full=verdict.distance_full,
            distance_kept=verdict.distance_kept,
            amounts=verdict.amounts,
        ),
        before=Figures.of(ours.own_loudness, ours.measures.mix, ours.measures.stems),
        after=Figures.of(attempt.loudness, attempt.measures, {}),
        reference_figures=Figures.of(theirs.loudness, theirs.measures.mix, theirs.measures.stems),
        warnings=[
            Warned(code=note.code, message=note.message, strip=note.strip) for note in notes + attempt.notes
        ],
        timings_s=clock.seconds,
    )
    return result_of(
        attempt.audio, document, ours.song, ours.played, theirs.song, theirs.stems, attempt.treated
    )


def requested(asked: dict[str, Any]) -> Asked:
    """What was asked for, checked: ConfigError for what there isn't or is out of range."""
    try:
        return Asked(**{"amount": 1.0} | asked)
    except ValidationError as error:
        raise ConfigError(explained(error)) from error


def _used(network: Converter | None) -> ConverterUsed:
    if network is None:
        return ConverterUsed()
    return ConverterUsed(name=network.name, fingerprint=network.fingerprint)


def _checked(desk: Desk, request: Asked, full: Amounts, attempt: Attempt) -> Verdict:
    """What the gate keeps."""
    before, after = desk.distance_of(None), desk.distance_of(attempt)
    if not request.gate or not any(full.values()):
        return Verdict(full, before, after, after)
    return decide(full, before, after, lambda amounts: desk.distance_of(desk.render(amounts)))
