"""How close does automix come, beside do nothing and Matchering, on finished music that nobody tuned on?

    python -m styletransfer.evaluation.bench --set bench --output bench-output

Prints Markdown and writes it, with a JSON of every figure.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from styletransfer.audio import Audio, Stems
from styletransfer.errors import AutomixError
from styletransfer.separation import choose, confidence, separate
from styletransfer.stem_cache import StemCache

from . import report
from .judging import Judgement, judge_pair
from .matchering import Matchering
from .null_tests import null_tests
from .songs import SET_NAMES, SongSet, default_folder, fetch, song_set
from .sound import read_excerpt
from .speed import peak_bytes, speed
from .systems import Automix, systems

THREADS = 2
NULL_PAIRS = 6


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """What is run, and where.

    pairs      only the first so many; all where None.
    separator  that automix uses; `confident`: whether it changes a stem less, the less of it is its own.
    stems      AF per stem, too, which separates every result.
    folder     where songs and Matchering lie; `output` gets the report.
    """

    set_name: str = "bench"
    pairs: int | None = None
    stems: bool = False
    nulls: bool = True
    speed: bool = True
    folder: Path = field(default_factory=default_folder)
    output: Path = Path("bench-output")
    seed: int = 0
    separator: str = "builtin"
    confident: bool = confidence.COUNTS


def run(config: BenchConfig, tell: Callable[[str], None] = lambda message: None) -> str:
    """The benchmark: fetch, judge each pair, test, time, and write; the report in Markdown.

    tell  hears what is being done.
    """
    torch.set_num_threads(THREADS)
    songs = song_set(config.set_name)
    paths = {path.stem: path for path in fetch(songs, config.folder)}
    program = Matchering(config.folder)
    program.install()
    automix = Automix(
        StemCache(config.folder / "stems"),
        config.seed,
        separator=config.separator,
        confident=config.confident,
    )
    compared = systems(program, automix)
    separated = _builtin() if config.stems else None
    pairs = songs.pairs[: config.pairs]

    judged = []
    for number, (source, reference) in enumerate(pairs, 1):
        tell(f"pair {number} of {len(pairs)}: {source} → {reference}")
        judged.append(
            judge_pair(read_excerpt(paths[source]), read_excerpt(paths[reference]), compared, separated)
        )
    figures = _figures(songs, judged, config.seed)
    text = _closeness_text(songs, judged, config)

    if config.nulls:
        tell("null tests")
        sounds = [
            (read_excerpt(paths[source]), read_excerpt(paths[reference])) for source, reference in pairs
        ]
        nulls = null_tests(sounds[:NULL_PAIRS], automix)
        figures["null_tests"] = nulls.figures()
        text += f"\n## Null tests ({min(NULL_PAIRS, len(pairs))} pairs)\n\n{report.null_text(nulls)}\n"
    if config.speed:
        first, second = (read_excerpt(paths[name]) for name in pairs[0])
        timed = speed(first, second, program, tell)
        tell("peak memory")
        peak = peak_bytes([read_excerpt(path) for path in list(paths.values())[:10]], second)
        figures["speed"] = {**timed.figures(), "peak_bytes": peak}
        text += f"\n## Speed and memory ({THREADS} threads)\n\n{report.speed_text(timed, peak)}\n"

    config.output.mkdir(parents=True, exist_ok=True)
    written = json.dumps(figures, indent=1, ensure_ascii=False)
    (config.output / f"{songs.name}.json").write_text(written + "\n", encoding="utf-8")
    (config.output / f"{songs.name}.md").write_text(text, encoding="utf-8")
    return text


def _closeness_text(songs: SongSet, judged: list[dict[str, Judgement]], config: BenchConfig) -> str:
    names = {name for pair in songs.pairs[: len(judged)] for name in pair}
    packages = {songs.songs[name].package for name in names}
    parts = [
        f"# Set `{songs.name}`: {len(judged)} pairs of {len(names)} songs from {len(packages)} packages",
        "Systems read the first half of the reference; figures are distances to its second half, smaller is "
        "closer. Floor: the distance between the reference's own halves. Brackets: 95 % bootstrap intervals "
        f"over pairs (seed {config.seed}).",
        "## AF distance of the mix",
        report.closeness_table(judged, config.seed),
        "## Its terms (in brackets the ratio to Matchering's)",
        report.terms_table(judged, config.seed),
        "## Beside it: mean absolute difference to the reference",
        report.sides_table(judged),
        "## Content kept, against the input",
        report.content_table(judged),
    ]
    if config.stems:
        parts += ["## AF distance per stem, separated alike", report.stems_table(judged)]
    return "\n\n".join(parts) + "\n"


def _figures(songs: SongSet, judged: list[dict[str, Judgement]], seed: int) -> dict[str, Any]:
    compared = report.comparisons(judged, lambda judgement: judgement.mix.total, seed)
    return {
        "format": 1,
        "set": songs.name,
        "seed": seed,
        **report.machine(),
        "compared": {
            name: {
                baseline: {
                    "ratio_of_means": found.ratio_of_means.figures(),
                    "median_log_ratio": found.median_log_ratio.figures(),
                    "mean_difference": found.mean_difference.figures(),
                    "share_worse": found.share_worse,
                }
                for baseline, found in baselines.items()
            }
            for name, baselines in compared.items()
        },
        "pairs": [
            {
                "input": source,
                "reference": reference,
                "systems": {name: judgement.figures() for name, judgement in pair.items()},
            }
            for (source, reference), pair in zip(songs.pairs, judged, strict=False)
        ],
    }


def _builtin() -> Callable[[Audio], Stems]:
    separator = choose("builtin")

    def take_apart(mix: Audio) -> Stems:
        return separate(mix, separator)

    return take_apart


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure automix beside do nothing and Matchering.")
    parser.add_argument("--set", choices=SET_NAMES, default="bench")
    parser.add_argument("--pairs", type=int, help="only the first so many pairs")
    parser.add_argument("--stems", action="store_true", help="AF per stem, too (separates every result)")
    parser.add_argument("--no-nulls", action="store_true", help="leave out the null tests")
    parser.add_argument("--no-speed", action="store_true", help="leave out times and memory")
    parser.add_argument("--folder", type=Path, default=default_folder(), help="where the songs lie")
    parser.add_argument("--output", type=Path, default=Path("bench-output"), help="folder of the report")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--separator", default="builtin", help="that automix uses")
    parser.add_argument("--confident", action="store_true", help="change doubtful stems less (the ablation)")
    options = parser.parse_args(arguments)
    config = BenchConfig(
        set_name=options.set,
        pairs=options.pairs,
        stems=options.stems,
        nulls=not options.no_nulls,
        speed=not options.no_speed,
        folder=options.folder,
        output=options.output,
        seed=options.seed,
        separator=options.separator,
        confident=options.confident or confidence.COUNTS,
    )
    try:
        print(run(config, _tell))
    except AutomixError as error:
        _tell(str(error))
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
