"""Is a stem's style heard as well after separation? Chain on a stem, sum, separate, hear that stem."""

from __future__ import annotations

import hashlib
import json

import torch
from torch import Tensor

from styletransfer.audio import STEMS, Audio
from styletransfer.chains import Chain
from styletransfer.corpus.folder import RATE
from styletransfer.separation import Separator, separate

from .bank import Renderer, effects_fingerprint
from .excerpts import EXCERPT_S, Dry, stems_of
from .intervals import Ints


def through_separation(dry: Dry, chains: Chain, separator: Separator) -> Renderer:
    """Passages of a stem through chains, summed with the song's other stems, and separated again.

    The stem goes back to its own level in the song before it is summed, and again to where −23 LUFS was
    before the chain when it comes back, so that true and separated stems are heard at one level.
    """
    if dry.stem not in STEMS:
        raise ValueError(f"{dry.stem} is no stem that could be separated")
    plain = json.dumps(chains.to_json(), sort_keys=True)
    beside = [stem.key for stem in stems_of(dry) if stem.stem != dry.stem]
    mark = hashlib.sha256(" ".join([dry.key, *beside, plain]).encode()).hexdigest()[:24]

    def render(jobs: Ints) -> Tensor:
        wet = chains.select(jobs[:, 0].tolist()).apply(dry.samples[jobs[:, 1], jobs[:, 2]], RATE)
        found = []
        for samples, (_, piece, take) in zip(wet, jobs.tolist(), strict=True):
            song, start_s = dry.songs[piece], dry.starts_s[piece][take]
            gain = float(dry.gains[piece, take])
            others = [song.read(stem, start_s, EXCERPT_S) for stem in song.stems if stem != dry.stem]
            mix = torch.stack([samples / gain, *others]).sum(0)
            found.append(separate(Audio(mix, RATE), separator)[dry.stem].samples * gain)
        return torch.stack(found)

    return Renderer(dry.stem, f"separated {separator.fingerprint} {effects_fingerprint()} {mark}", render)
