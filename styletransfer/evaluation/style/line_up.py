"""Which systems stand beside the encoder in a run, and which of them can't be had here?"""

from __future__ import annotations

from collections.abc import Iterable

from styletransfer import encoders, weights

from .systems import (
    ENCODER,
    LEARNED,
    MEE,
    System,
    chosen,
    descriptions,
    explicit_features,
    mel_statistics,
    trained_network,
    untrained_network,
)

MEE_SHIPPED = "mee-small"
"""The name of the effect classifier's weights, where they ship."""


def systems_for(
    encoder: str | None = None, mee: str | None = None, names: Iterable[str] | None = None
) -> tuple[list[System], list[str]]:
    """The systems to compare, the encoder last, and notes on those that can't be had."""
    described = descriptions()
    notes = []
    trained = []
    config = None
    for name, asked, shipped in ((MEE, mee, MEE_SHIPPED), (ENCODER, encoder, encoders.SHIPPED)):
        if asked is None and shipped not in weights.manifest():
            notes.append(f"{name}: no weights named {shipped} ship with this version, so it is missing here.")
            continue
        loaded = encoders.load(asked or shipped)
        config = loaded.network.config
        if name == ENCODER:
            trained.append(trained_network(LEARNED, loaded, described))
        trained.append(trained_network(name, loaded, described, whole=name == ENCODER))
    raw = [mel_statistics(), explicit_features(described), untrained_network(described, config)]
    return chosen([*raw, *trained], names), notes
