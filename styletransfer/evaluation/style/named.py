"""Five styles that people have names for, as chains of our console drawn around what the names mean.

Source   the names are those of Steinmetz et al., "Style transfer of audio effects with differentiable
signal processing", JAES 70(9), 2022.
"""

from __future__ import annotations

import numpy as np

from styletransfer.chains import Chain
from styletransfer.chains.parameters import PARAMETERS

Range = tuple[float, float]

_FLAT: dict[str, Range] = {
    "low_gain_db": (-1, 1),
    "low_mid_gain_db": (-1, 1),
    "middle_gain_db": (-1, 1),
    "high_mid_gain_db": (-1, 1),
    "high_gain_db": (-1, 1),
    "low_frequency_hz": (80, 120),
    "low_mid_frequency_hz": (350, 500),
    "middle_frequency_hz": (1500, 2000),
    "high_mid_frequency_hz": (4000, 5500),
    "high_frequency_hz": (7000, 9000),
    **{f"{band}_q": (0.6, 0.8) for band in ("low", "low_mid", "middle", "high_mid", "high")},
}
_STYLES: dict[str, dict[str, dict[str, Range]]] = {
    "bright": {"eq": _FLAT | {"high_mid_gain_db": (2, 6), "high_gain_db": (5, 10), "low_gain_db": (-4, 0)}},
    "broadcast": {
        "eq": _FLAT | {"low_gain_db": (1, 4), "low_mid_gain_db": (-3, -1), "high_mid_gain_db": (1, 4)},
        "compressor": {
            "threshold_db": (-45, -35),
            "ratio": (4, 8),
            "knee_db": (3, 6),
            "attack_ms": (2, 5),
            "release_ms": (60, 150),
        },
        "limiter": {"ceiling_db": (-24, -18), "release_ms": (40, 100)},
    },
    "neutral": {"eq": _FLAT},
    "telephone": {
        "eq": _FLAT
        | {
            "low_gain_db": (-36, -28),
            "low_frequency_hz": (280, 380),
            "middle_gain_db": (2, 6),
            "high_gain_db": (-36, -28),
            "high_frequency_hz": (3000, 3800),
        },
        "saturation": {"drive_db": (10, 18)},
        "width": {"width": (0, 0.05)},
    },
    "warm": {
        "eq": _FLAT | {"low_gain_db": (2, 6), "low_mid_gain_db": (1, 3), "high_gain_db": (-8, -4)},
        "saturation": {"drive_db": (6, 12)},
    },
}

NAMES = tuple(_STYLES)
"""The five names; style number i is NAMES[i // count] in `chains(count)`."""


def chains(count: int, seed: int) -> Chain:
    """`count` chains of each name, name after name."""
    generator = np.random.default_rng(seed)
    return Chain.from_json(
        [
            [
                {
                    "effect": effect,
                    "implementation": "console",
                    "seed": int(generator.integers(2**31)),
                    "parameters": {name: generator.uniform(*ranges[name]) for name in PARAMETERS[effect]},
                }
                for effect, ranges in _STYLES[style].items()
            ]
            for style in NAMES
            for _ in range(count)
        ]
    )
