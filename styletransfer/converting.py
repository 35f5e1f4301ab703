"""What changes the stems: the closed form, a network that corrects it, or a network that makes stems anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from styletransfer import encoders, mixdown
from styletransfer.audio import STEMS, Audio, Stems
from styletransfer.baked import baked
from styletransfer.converter.console import STRIP, Settings, keeping, neutral, scaled
from styletransfer.converter.tcn import RATE
from styletransfer.converters import Converter, LoadedConsole, LoadedTCN
from styletransfer.desk import Correction
from styletransfer.document import Asked
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import ConfigError, UsageError
from styletransfer.hearing import Input
from styletransfer.holding import held_back, passages_of
from styletransfer.levelling import levelled
from styletransfer.matching import fit_dynamics, louder_lu, match_stems
from styletransfer.notes import Note
from styletransfer.reference import Reference, excerpts
from styletransfer.separation import confidence
from styletransfer.style import SongStyle, style_of
from styletransfer.treating import Treated, TreatedStems, Treatment

Strips = dict[str, Settings]


@dataclass(frozen=True, slots=True)
class Converted:
    """What is to be done to the stems, before amounts.

    steps   the strips after each step: of the closed form, then with the residuals of a network that
            corrects it; neutral with one that makes stems anew. Gains are the measured ones in each.
    told    what the latter is told of each stem that it is to change.
    """

    steps: list[Strips]
    notes: list[Note]
    told: dict[str, Treatment] = field(default_factory=dict)


def converted(theirs: Reference, ours: Input, network: Converter | None, groups: set[str]) -> Converted:
    """What brings the stems toward the reference's; less where they are leaky, unless asked for in full.

    groups  of stages that may be set. A network is told the whole closed form all the same, as it learned.
    """
    strips, notes = match_stems(ours.measures, theirs.measures)
    if "level" not in groups:
        notes = [note for note in notes if note.code != "level-capped"]
    if isinstance(network, LoadedTCN):
        found = _anew(theirs, ours, network, notes)
    else:
        stems = excerpts(ours.stems, ours.span_s)
        steps = [fit_dynamics(strips, ours.measures, theirs.measures, stems)]
        if network is not None:
            steps.append(network.corrected(steps[0], _heard(ours.style), _heard(theirs.style)))
        steps = [{name: keeping(STRIP, step[name], groups) for name in step} for step in steps]
        passages = passages_of(stems)
        steps[-1], held = held_back(steps[-1], passages)
        last = levelled(steps[-1], passages, louder_lu(ours.measures, theirs.measures))
        steps = [{name: {**step[name], "gain": last[name]["gain"]} for name in step} for step in steps[:-1]]
        found = Converted([*steps, last], notes + held)
    found.notes.extend(baked(ours, theirs))
    bears = borne(theirs, ours)
    for of_side, side in ((ours.confidences, "the input"), (theirs.confidences, "the reference")):
        found.notes.extend(confidence.leaks(of_side, side, bears))
    if not bears:
        return found
    borne_steps = [
        {name: scaled(STRIP, settings, bears[name]) for name, settings in step.items()}
        for step in found.steps
    ]
    told = {name: one.scaled(bears[name]) for name, one in found.told.items()}
    return Converted(borne_steps, found.notes, told)


def correction(network: Converter | None, theirs: Reference, ours: Input) -> Correction | None:
    """How a network corrects the matched master; None where it sets none."""
    encoder = ours.encoder
    if not isinstance(network, LoadedConsole) or not network.sets_master or encoder is None:
        return None
    wanted = _heard(theirs.style)

    def corrected(bus: Audio, settings: Settings) -> Settings:
        return network.corrected_master(settings, style_of(bus, None, encoder).mix, wanted.mix)

    return corrected


def treat(
    network: LoadedTCN,
    stems: Stems,
    told: Mapping[str, Treatment],
    done: Callable[[float], None] = lambda fraction: None,
) -> TreatedStems:
    """Stems as a network makes them of what it is told, each walked through once.

    ConfigError for a condition that is another network's.
    """
    dimensions = network.network.config.condition
    for name, one in told.items():
        if len(one.vector) != dimensions:
            raise ConfigError(f"the condition of {name} has {len(one.vector)} numbers, not {dimensions}")
    treated = {}
    for number, (name, one) in enumerate(told.items(), 1):
        treated[name] = Treated(mixdown.behind(stems[name], list(network.stages(one)), RATE), one)
        done(number / len(told))
    return treated


def check(network: Converter | None, asked: Asked) -> None:
    """UsageError, before any work, for what can't be asked of a converter."""
    if not isinstance(network, LoadedTCN):
        return
    for option, wished in (("--only", asked.only), ("--refine", asked.refine)):
        if wished:
            raise UsageError(
                f"the tcn converter changes a stem as a whole and sets no knobs, so {option} has nothing to "
                "work on; leave it out, or take --converter console or closed"
            )


def borne(theirs: Reference, ours: Input) -> dict[str, float]:
    """Stem → how much of a change it bears, 0 to 1; empty where that isn't asked, or not known."""
    if not ours.confident:
        return {}
    own = {name: told.mean for name, told in ours.confidences.items()}
    return own | confidence.bearable(ours.confidences, theirs.confidences)


def encoder_of(network: Converter, converter: str, device: str = "cpu") -> LoadedEncoder:
    """The encoder that a network hears through: the shipped one, or a file beside the network's own.

    converter  the name or file that the network was loaded by. ConfigError if its encoder isn't here.
    """
    loaded = encoders.load(device=device)
    if loaded.fingerprint == network.encoder:
        return loaded
    path = Path(converter)
    beside = path.parent.glob(f"*-{network.encoder}.safetensors") if path.suffix == ".safetensors" else ()
    for file in beside:
        return encoders.load(file, device)
    raise ConfigError(
        f"the converter hears through encoder {network.encoder}, and encoder {loaded.fingerprint} comes with "
        f"this version; put that encoder's file (its name ends in -{network.encoder}.safetensors) beside the "
        "converter's, or train the converter again"
    )


def _anew(theirs: Reference, ours: Input, network: LoadedTCN, matched: list[Note]) -> Converted:
    """What a network is told of the stems that both sides have."""
    notes = [note for note in matched if note.code == "stem-absent"]
    absent = {note.strip for note in notes}
    present = [name for name in STEMS if name not in absent]
    notes += [
        Note(
            "network-failed",
            f"on songs that it hadn't learned from the network brought {name} no closer, so {name} stay as "
            "they are",
            name,
        )
        for name in present
        if not network.amounts[name]
    ]
    told = network.treatments(_heard(ours.style), _heard(theirs.style), present)
    return Converted([{name: neutral(STRIP) for name in STEMS}], notes, told)


def _heard(style: SongStyle | None) -> SongStyle:
    if style is None:
        raise ConfigError(
            "a reference has no style that the converter could hear, or they are of several encoders; "
            "save them again with one"
        )
    return style
