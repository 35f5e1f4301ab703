"""One song from its recipe: instruments rendered and balanced, a voice sung over them at once or later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from styletransfer.errors import AudioError

from . import arrangement, balance, drumkits, fluidsynth, material, midi_file, modules, packages
from .arrangement import MelodyNotes
from .balance import Part
from .folder import CorpusSong, active_s, write_song
from .plan import LONGEST_S, Recipe

Credit = tuple[str, str, str]
"""Source, package and licence."""

SUNG_SHARE = 0.6
"""Of the songs, so many get a voice."""

_LEAST_MELODY_S = 8.0
_LEAST_ACTIVE_S = 2.0  # of a stem; what sounds for less is left out of the song
_LEAST_LEFT = 0.25  # of the notes of `other`, that must remain where the melody is sung instead of played


Sing = Callable[[dict[str, Tensor], MelodyNotes], tuple[Tensor, list[Credit]]]
"""(a song's instruments, its melody, empty where none is known) → a voice (2, frames), and what sings."""


def render_song(recipe: Recipe, corpus: Path, cache: Path, sing: Sing | None = None) -> Path:
    """Make a song's instruments, and the voice where it has one, and write it; its folder. The packages it
    needs must be in the cache.

    sing   without it, the voice is left pending.
    AudioError where the piece yields no song of two stems that sound.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    generator.manual_seed(int(torch.randint(2**62, (), generator=generator)))  # apart from the plan's draws
    make = _module if recipe.kind == "module" else _midi
    stems, is_sung, melody, played = make(recipe, cache, generator)
    stems = {name: balance.without_edges(samples) for name, samples in stems.items()}
    parts = {name: Part.measured(samples) for name, samples in stems.items() if _sounds(samples)}
    parts = balance.at_peak(balance.balanced(parts, generator)) if parts else {}
    heard = {name: part for name, part in parts.items() if active_s(part.samples) >= _LEAST_ACTIVE_S}
    if len(heard) < 2:
        raise AudioError(f"{recipe.piece} yields no song of two stems")
    if len(heard) < len(parts):
        heard = balance.at_peak(heard)
    sources, licences = _credits(recipe, cache)
    meta: dict[str, Any] = {
        key: value for key, value in asdict(recipe).items() if key not in ("needs", "expected_s")
    }
    meta |= {
        "sources": sources,
        "packages": list(recipe.needs),
        "licences": licences,
        "pending": ["vocals"] if is_sung else [],
        "melody": melody,
        "melody_is_played": played,
    }
    return _write(corpus, *(_sung(heard, meta, sing) if is_sung and sing else (heard, meta)))


def add_vocals(song: CorpusSong, corpus: Path, sing: Sing) -> None:
    """Write a song anew with the voice that was left pending, or as it is where that is silent."""
    told = ("id", "title", "piece", "split", "seed", "kind", "sources", "packages", "licences")
    meta = {**song.extra, **{key: getattr(song, key) for key in told}}
    stems = {name: Part(song.read(name), song.stats[name]["lufs"]) for name in song.stems}
    _write(corpus, *_sung(stems, meta, sing))


def _write(corpus: Path, stems: dict[str, Part], meta: dict[str, Any]) -> Path:
    samples = {name: part.samples for name, part in stems.items()}
    return write_song(corpus, samples, meta, lufs={name: part.lufs for name, part in stems.items()})


def _sounds(samples: Tensor) -> bool:
    return float(samples.square().mean()) > 1e-9


def _sung(stems: dict[str, Part], meta: dict[str, Any], sing: Sing) -> tuple[dict[str, Part], dict[str, Any]]:
    """A song's stems with a voice among them, unless it is silent, and what it says of itself."""
    vocals, sources = sing({name: part.samples for name, part in stems.items()}, meta["melody"])
    frames = next(iter(stems.values())).samples.shape[1]
    if _sounds(vocals):
        generator = torch.Generator().manual_seed(meta["seed"] + 1)
        voice = Part.measured(vocals[:, :frames])
        stems = balance.at_peak(balance.with_vocals(stems, voice, generator))
    names, packages_, licences = zip(*sources, strict=True) if sources else ((), (), ())
    credits = {
        "sources": [*meta["sources"], *names],
        "packages": list(dict.fromkeys([*meta["packages"], *packages_])),
        "licences": list(dict.fromkeys([*meta["licences"], *licences])),
    }
    return stems, meta | credits | {"pending": []}


def _midi(
    recipe: Recipe, cache: Path, generator: torch.Generator
) -> tuple[dict[str, Tensor], bool, MelodyNotes, bool]:
    path = cache / recipe.package / recipe.file
    score = midi_file.read(midi_file.in_wad(path)[recipe.member] if recipe.member else path.read_bytes())
    arranged = arrangement.arrange(score, LONGEST_S, generator)
    is_sung = _is_sung(generator)
    melody = _enough(arrangement.melody_notes(score, arranged)) if is_sung else []
    played = not melody or arranged.melody_is_played or not _others_remain(score, arranged)
    bank = next(bank for bank in material.BANKS if bank.name == recipe.bank)
    kit = next((kit for kit in material.KITS if kit.name == recipe.kit), None)
    kit_path = cache / kit.package / kit.file if kit else None
    drum_bank = kit_path if kit_path and kit_path.suffix == ".sf2" else None
    messages = arrangement.messages(score, arranged, played)
    stems = fluidsynth.render(messages, arranged.duration_s, cache / bank.package / bank.file, drum_bank)
    if kit_path and not drum_bank and "drums" in stems:
        hits = arrangement.drum_hits(score, arranged)
        stems["drums"] = drumkits.render(drumkits.read_kit(kit_path), hits, arranged.duration_s, generator)
    return stems, is_sung, melody, played


def _module(
    recipe: Recipe, cache: Path, generator: torch.Generator
) -> tuple[dict[str, Tensor], bool, MelodyNotes, bool]:
    content = (cache / recipe.package / recipe.file).read_bytes()
    song = modules.render(content, LONGEST_S, generator)
    is_sung = _is_sung(generator)
    return song.stems, is_sung, _enough(song.melody) if is_sung else [], True


def _is_sung(generator: torch.Generator) -> bool:
    return float(torch.rand((), generator=generator)) < SUNG_SHARE


def _enough(melody: MelodyNotes) -> MelodyNotes:
    """The melody, if it lasts long enough to be sung; else none, and one is invented later."""
    return melody if sum(duration_s for _, duration_s, _ in melody) >= _LEAST_MELODY_S else []


def _others_remain(score: midi_file.Score, arranged: arrangement.Arrangement) -> bool:
    """Whether enough plays in `other` without the melody."""
    with_melody, without = (
        sum(
            told.kind == "on" and told.bus == "other"
            for told in arrangement.messages(score, arranged, played)
        )
        for played in (True, False)
    )
    return without >= _LEAST_LEFT * with_melody


def _credits(recipe: Recipe, cache: Path) -> tuple[list[str], list[str]]:
    """Sources and licences of the score or module, the bank and the kit."""
    folder = cache / recipe.package
    sources, files = [], [(folder, Path(recipe.file))]
    if recipe.kind == "module":
        sources += [f"module:{recipe.piece}", f"samples:{recipe.package}"]
    for bank in material.BANKS:
        if bank.name == recipe.bank:
            sources.append(f"bank:{bank.name}")
            files.append((cache / bank.package, Path(bank.file)))
    for kit in material.KITS:
        if kit.name == recipe.kit:
            sources.append(f"kit:{kit.name}")
            archive = Path(kit.file)
            named = archive if archive.suffix == ".sf2" else archive.with_name(f"{archive.name}.h2drumkit")
            files.append((cache / kit.package, named))
    return sources, list(dict.fromkeys(packages.licence(folder, file) for folder, file in files))
