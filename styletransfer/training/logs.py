"""What a run leaves to look at: `log.csv`, `rounds.csv`, and TensorBoard events."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from styletransfer.errors import ConfigError


class Log:
    """Appends to a run's logs; rows past the step that a resumed run goes on from are dropped first."""

    def __init__(self, folder: Path, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError("training needs the extra `train`: pip install 'automix[train]'") from error
        self._steps, self._rounds = folder / "log.csv", folder / "rounds.csv"
        for path in (self._steps, self._rounds):
            _cut(path, step)
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step)

    def step(self, step: int, losses: Mapping[str, float], rate: float) -> None:
        """A training step's losses."""
        _append(self._steps, {"step": step, "learning_rate": rate, **losses})
        for key, value in losses.items():
            self._board.add_scalar(f"loss/{key}", value, step)

    def validation(self, step: int, round: int, row: Mapping[str, float]) -> None:
        """A round's validation, whatever was measured."""
        _append(self._rounds, {"step": step, "round": round, **row})
        for key, value in row.items():
            self._board.add_scalar(key, value, step)
        self._board.flush()


def _append(path: Path, row: Mapping[str, float]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(
            {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()}
        )


def _cut(path: Path, step: int) -> None:
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = lines[:1] + [line for line in lines[1:] if line.endswith("\n") and int(line.split(",")[0]) <= step]
    path.write_text("".join(kept), encoding="utf-8")
