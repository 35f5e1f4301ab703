"""How good is the splitter by now? True songs of the validation split, behind the voice stage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Generator, Tensor, nn

from styletransfer import weights
from styletransfer.audio import STEMS
from styletransfer.corpus.folder import Corpus
from styletransfer.separation.splitters import HOP, LEVEL, SOURCES
from styletransfer.separation.voice import BINS, VoiceStage
from styletransfer.training.crew import Crew
from styletransfer.training.seeding import seed_of

from .material import level, songs_of, spectrum
from .recipe import SeparatorRecipe

_SEED = 30_000
_AUDIBLE = 10**-3.5  # of the mix's energy: a source further below it is not asked for
_LEAST_DB, _MOST_DB = -20.0, 30.0


@dataclass(frozen=True, slots=True)
class Place:
    """An excerpt of a song of the corpus."""

    corpus: Path
    song: int
    start_s: float
    frames: int
    bins: int


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Excerpts, and the voice stage's share of each bin, (excerpts, 2, BINS, frames) uint8 of 255."""

    places: list[Place]
    shares: Tensor

    @torch.no_grad()
    def sdr_db(self, network: nn.Module, crew: Crew, device: str) -> dict[str, float]:
        """Source → mean SDR over the excerpts in which it is heard, up to the network's highest bin."""
        found: dict[str, list[float]] = {stem: [] for stem in SOURCES}
        for (mix, sources), share in zip(crew.map(read, self.places, ahead=4), self.shares, strict=True):
            whole = torch.view_as_complex(mix.float()).to(device)
            truth = torch.view_as_complex(sources.float()).to(device)
            bins = whole.shape[1]
            voice = torch.nn.functional.pad(share, (0, 0, 0, max(0, bins - BINS)))[:, :bins]
            heard = whole * (1 - voice.to(device).float() / 255)
            estimates = network(heard[None])[0] * heard
            for stem, estimate, source in zip(SOURCES, estimates, truth, strict=True):
                energy = source.abs().square().sum()
                if energy > _AUDIBLE * whole.abs().square().sum():
                    error = (estimate - source).abs().square().sum().clamp(min=1e-12)
                    value = float(10 * torch.log10(energy / error))
                    found[stem].append(min(max(value, _LEAST_DB), _MOST_DB))
        return {stem: sum(values) / len(values) for stem, values in found.items() if values}


def prepare(corpus: Path, recipe: SeparatorRecipe, folder: Path, crew: Crew) -> Validation:
    """The excerpts of a corpus's validation split; the voice stage is run once per run's folder."""
    songs = Corpus(corpus).songs("validation")
    frames, count = recipe.frames, recipe.validation_excerpts
    usable = [
        number for number, song in enumerate(songs_of(corpus, "validation").songs) if song.duration_s > 1
    ]
    generator = Generator().manual_seed(_SEED)
    order = [usable[int(i)] for i in torch.randperm(len(usable), generator=generator)]
    places = []
    for index in range(count):
        song = order[index % len(order)]
        length_s = (frames - 1) * HOP / 44_100
        room_s = max(0.0, songs_of(corpus, "validation").songs[song].duration_s - length_s)
        start_s = float(torch.rand((), generator=generator)) * room_s
        places.append(Place(corpus, song, start_s, frames, recipe.bins))
    path = folder / f"voice-{seed_of(len(songs), frames, count)}.safetensors"
    if not path.exists():
        shares = torch.stack(list(crew.map(voice_share, places)))
        weights.write(path, {"share": shares})
    return Validation(places, safetensors.torch.load_file(path)["share"])


def read(place: Place) -> tuple[Tensor, Tensor]:
    """An excerpt's mix (2, bins, frames, 2), at LEVEL, and sources (3, 2, bins, frames, 2); float16."""
    spectra = _spectra(place, place.bins)
    return torch.view_as_real(spectra.sum(0)).half(), torch.view_as_real(spectra[: len(SOURCES)]).half()


def voice_share(place: Place) -> Tensor:
    """What the voice stage makes of an excerpt, (2, BINS, frames) uint8."""
    with torch.inference_mode():
        share = VoiceStage().share(_spectra(place, BINS).sum(0).abs())
        return (share * 255).round().to(torch.uint8)


def _spectra(place: Place, bins: int) -> Tensor:
    song = songs_of(place.corpus, "validation").songs[place.song]
    frames = (place.frames - 1) * HOP
    found = []
    for stem in STEMS:
        sound = song.read(stem, place.start_s, frames / 44_100)[:, :frames]
        found.append(spectrum(torch.nn.functional.pad(sound, (0, frames - sound.shape[1])), bins))
    spectra = torch.stack(found)
    return spectra * (LEVEL / max(level(spectra.sum(0)), 1e-6))
