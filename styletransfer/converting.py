"""What sets the stems' strips: the closed form, then a network that knows what the closed form can't see."""

from __future__ import annotations

from styletransfer import encoders
from styletransfer.converter.console import STRIP, Settings, scaled
from styletransfer.converters import LoadedConsole
from styletransfer.encoders import LoadedEncoder
from styletransfer.errors import ConfigError
from styletransfer.hearing import Input
from styletransfer.matching import fit_dynamics, match_stems
from styletransfer.notes import Note
from styletransfer.reference import Reference
from styletransfer.separation import confidence
from styletransfer.style import SongStyle

Strips = dict[str, Settings]


def converted(
    theirs: Reference, ours: Input, network: LoadedConsole | None
) -> tuple[list[Strips], list[Note]]:
    """The strips after each step: of the closed form, then with the network's residuals where there is one.

    They change less where stems are leaky and someone looked.
    """
    strips, notes = match_stems(ours.measures, theirs.measures)
    passages = {
        name: stem if ours.span_s is None else stem.excerpt(*ours.span_s) for name, stem in ours.stems.items()
    }
    steps = [fit_dynamics(strips, ours.measures, theirs.measures, passages)]
    if network is not None:
        steps.append(network.corrected(steps[0], _heard(ours.style), _heard(theirs.style)))
    if ours.confidences:
        bears = borne(theirs, ours)
        steps = [
            {name: scaled(STRIP, settings, bears[name]) for name, settings in step.items()} for step in steps
        ]
        notes += confidence.leaks(ours.confidences, "the input")
        notes += confidence.leaks(theirs.confidences, "the reference")
    return steps, notes


def borne(theirs: Reference, ours: Input) -> dict[str, float]:
    """Stem → how much of a change it bears, 0 to 1; empty where nobody looked."""
    own = {name: told.amount for name, told in ours.confidences.items()}
    return own | confidence.bearable(ours.confidences, theirs.confidences)


def encoder_of(network: LoadedConsole | None, device: str) -> LoadedEncoder | None:
    """The encoder that a network hears through; none for the closed form. ConfigError if it isn't here."""
    if network is None:
        return None
    loaded = encoders.load(device=device)
    if loaded.fingerprint != network.encoder:
        raise ConfigError(
            f"the converter was trained with encoder {network.encoder}, but encoder {loaded.fingerprint} "
            "comes with this version; train the converter again"
        )
    return loaded


def _heard(style: SongStyle | None) -> SongStyle:
    if style is None:
        raise ConfigError("the references' styles are of several encoders; save them again with one")
    return style
