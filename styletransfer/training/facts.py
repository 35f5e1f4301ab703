"""What the header of trained weights says of where they come from, whatever was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from styletransfer import weights
from styletransfer.corpus.folder import Corpus, CorpusSong
from styletransfer.corpus.split import marks
from styletransfer.training.state import State


def how_it_went(network: str, recipe: BaseModel, state: State, device: str, processes: int) -> dict[str, Any]:
    """Command, recipe, steps, minutes and machine of a run, and what validation said of its best round."""
    return {
        "origin": f"automix train {network}",
        "licence": "Apache-2.0",
        "recipe": recipe.model_dump(),
        "steps": state.step,
        "minutes": round(state.minutes, 1),
        "device": device,
        "processes": processes,
        "validation": state.best,
    }


def learned_from(corpus: Path, songs: Sequence[CorpusSong], start: str | Path | None) -> dict[str, Any]:
    """Hours, number of pieces, and a hash of each piece trained and validated on, with those of the weights
    that were started from.

    songs   those of the corpus that served.
    """
    before = () if start is None else weights.find(start)[2].get("trained_on", ())
    return {
        "start": None if start is None else Path(start).name,
        "corpus_hours": round(sum(song.duration_s for song in songs) / 3600, 2),
        "corpus_pieces": len({song.piece for song in songs}),
        "trained_on": sorted({*marks(songs), *before}),
        "validated_on": marks(Corpus(corpus).songs("validation")),
    }
