"""What a transfer leaves in a folder: stems, result.json, and excerpts to compare at equal loudness."""

from __future__ import annotations

from pathlib import Path

from styletransfer import files, mixdown
from styletransfer.audio import Audio
from styletransfer.equal_loudness import matching_gains_db
from styletransfer.result import Result

EXCERPT_S = 20.0
"""Length of the excerpts."""


def save_all(result: Result, folder: Path) -> list[Path]:
    """Write `stems/`, `result.json` and the excerpts into a folder, which is made; the paths are returned.

    A.wav is the input and B.wav the result, both from where the input is loudest, reference.wav the
    reference from where it is; all attenuated to the quietest one's loudness, so that louder doesn't win.
    """
    files.make_folder(folder / "stems")
    paths = [
        files.write(folder / "stems" / f"{name}.wav", stem, subtype="FLOAT")
        for name, stem in result.stems.items()
    ]
    for name, excerpt in _excerpts(result).items():
        paths.append(files.write(folder / f"{name}.wav", excerpt))
    return [*paths, result.document.save(folder / "result.json")]


def _excerpts(result: Result) -> dict[str, Audio]:
    span_s = result.song.audio.loudest_s(EXCERPT_S)
    sounds = {"A": result.song.audio.excerpt(*span_s), "B": result.mix.excerpt(*span_s)}
    if result.reference is not None:
        reference = result.reference.audio
        sounds["reference"] = reference.excerpt(*reference.loudest_s(EXCERPT_S))
    gains_db = matching_gains_db(
        {name: mixdown.meter_of(sound.with_channels(2)) for name, sound in sounds.items()}
    )
    return {
        name: Audio(sound.samples * 10 ** (gains_db[name] / 20), sound.rate) for name, sound in sounds.items()
    }
