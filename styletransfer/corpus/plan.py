"""Which songs will be made? One recipe per song, in an order of which any beginning is a fair sample.

A piece is rendered several times: each time another stretch, key, tempo, bank, kit and choice of instruments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from styletransfer.errors import AudioError

from . import material, midi_file, packages
from .folder import SPLITS
from .openmpt import Module
from .split import fraction, split_of

LONGEST_S = 60.0
"""No song is longer: more songs, not longer ones, bring variety."""

_MIDI_RENDERINGS, _MODULE_RENDERINGS = 6, 3
_SHORTEST_S = 12.0
_KIT_SHARE = 0.4  # of songs with MIDI drums that a recorded kit plays


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make one song: everything but the sound.

    file, member  inside the unpacked package; a member of a WAD archive, or "".
    seed          of all that is drawn while rendering; follows from the build's seed and the id.
    bank, kit     names in `material`; "" where none plays.
    expected_s    roughly how long it will be.
    """

    id: str
    kind: str
    title: str
    piece: str
    package: str
    file: str
    member: str
    split: str
    seed: int
    bank: str
    kit: str
    expected_s: float

    @property
    def needs(self) -> tuple[str, ...]:
        """The Debian packages that it is made from."""
        banks = {bank.name: bank.package for bank in material.BANKS}
        kits = {kit.name: kit.package for kit in material.KITS}
        named = (self.package, banks.get(self.bank, ""), kits.get(self.kit, ""))
        return tuple(dict.fromkeys(name for name in named if name))


def recipes(cache: Path, seed: int, fetched: Callable[[float], None] = lambda fraction: None) -> list[Recipe]:
    """Every song that can be made, in the order of making. Fetches the packages with scores and modules.

    fetched  told the share of them that is there.
    """
    names = (*material.MIDI_PACKAGES, *material.MODULE_PACKAGES)
    folders = packages.fetch_all(names, cache, fetched)
    found: list[list[Recipe]] = []
    seen: set[str] = set()
    for package in material.MIDI_PACKAGES:
        found += _midi_recipes(package, folders[package], seed, seen)
    for package in material.MODULE_PACKAGES:
        found += _module_recipes(package, folders[package], seed, seen)
    rounds = max(len(renderings) for renderings in found)
    return [
        recipe
        for turn in range(rounds)
        for recipe in _mingled([renderings[turn] for renderings in found if turn < len(renderings)])
    ]


def song_seed(seed: int, song_id: str) -> int:
    """The seed of one song."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{song_id}".encode()).digest()[:6], "big")


def _mingled(renderings: Sequence[Recipe]) -> Iterator[Recipe]:
    """In an order by hash in which every split, and every kind, is spread evenly."""
    groups: dict[tuple[str, str], list[Recipe]] = {}
    for recipe in sorted(renderings, key=lambda recipe: fraction(f"order:{recipe.id}")):
        groups.setdefault((recipe.split, recipe.kind), []).append(recipe)
    order = list(reversed(SPLITS))
    places = [
        ((index + 0.5) / len(group), order.index(key[0]), key[1], recipe)
        for key, group in groups.items()
        for index, recipe in enumerate(group)
    ]
    head = [group[0] for key, group in sorted(groups.items()) if key[1] == "rendered"]
    yield from head
    for *_, recipe in sorted(places, key=lambda place: place[:3]):
        if recipe not in head:
            yield recipe


def _midi_recipes(package: str, folder: Path, seed: int, seen: set[str]) -> Iterator[list[Recipe]]:
    for path in material.midi_files(folder):
        contents = midi_file.in_wad(path) if path.suffix.lower() == ".wad" else {"": path.read_bytes()}
        for member, content in sorted(contents.items()):
            try:
                score = midi_file.read(content)
            except AudioError:
                continue
            if score.fingerprint in seen or len(score.notes) < 100 or score.duration_s < _SHORTEST_S:
                continue
            seen.add(score.fingerprint)
            title = member or path.stem
            drums = any(note.channel == midi_file.DRUM_CHANNEL for note in score.notes)
            yield [
                _rendering(package, folder, path, member, title, score.duration_s, drums, seed, turn)
                for turn in range(_MIDI_RENDERINGS)
            ]


def _rendering(
    package: str,
    folder: Path,
    path: Path,
    member: str,
    title: str,
    duration_s: float,
    drums: bool,
    seed: int,
    turn: int,
) -> Recipe:
    piece = f"{package}/{path.stem}/{member}" if member else f"{package}/{path.stem}"
    split = split_of(f"piece:{piece}")
    song_id = f"{_slug(piece)}-{turn}"
    own = song_seed(seed, song_id)
    generator = torch.Generator().manual_seed(own)
    banks = [bank for bank in material.BANKS if bank.split == split]
    weights = torch.tensor([bank.weight for bank in banks])
    bank = banks[int(torch.multinomial(weights, 1, generator=generator))]
    kits = [kit for kit in material.KITS if kit.split == split]
    kit = kits[int(torch.randint(len(kits), (), generator=generator))]
    with_kit = drums and float(torch.rand((), generator=generator)) < _KIT_SHARE
    return Recipe(
        id=song_id,
        kind="rendered",
        title=title,
        piece=piece,
        package=package,
        file=str(path.relative_to(folder)),
        member=member,
        split=split,
        seed=own,
        bank=bank.name,
        kit=kit.name if with_kit else "",
        expected_s=min(duration_s, LONGEST_S),
    )


def _module_recipes(package: str, folder: Path, seed: int, seen: set[str]) -> Iterator[list[Recipe]]:
    split = split_of(f"modules:{package}")
    for path in material.module_files(folder):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        try:
            with Module(content) as module:
                duration_s, title = module.duration_s, module.title
        except AudioError:
            continue
        if digest in seen or duration_s < _SHORTEST_S:
            continue
        seen.add(digest)
        piece = f"{package}/{path.stem}"
        ids = [f"{_slug(piece)}-{turn}" for turn in range(_MODULE_RENDERINGS)]
        yield [
            Recipe(
                id=song_id,
                kind="module",
                title=title or path.stem,
                piece=piece,
                package=package,
                file=str(path.relative_to(folder)),
                member="",
                split=split,
                seed=song_seed(seed, song_id),
                bank="",
                kit="",
                expected_s=min(duration_s, LONGEST_S),
            )
            for song_id in ids
        ]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
