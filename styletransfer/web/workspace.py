"""One open page: the sounds that were dropped, the transfer, the knobs, and what is taken away."""

from __future__ import annotations

import secrets
import shutil
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from styletransfer.audio import STEMS, Audio
from styletransfer.converter.console import Settings
from styletransfer.errors import UsageError
from styletransfer.interpolation import Interpolation, interpolate
from styletransfer.pipeline import transfer
from styletransfer.reference import shares_of
from styletransfer.report.versions import INPUT, REFERENCE, RESULT
from styletransfer.result import Result
from styletransfer.retouching import PASSAGE_S, Retouch
from styletransfer.sources import Progress
from styletransfer.stem_cache import StemCache

from . import downloads, wishes
from .limits import Limits
from .line import Job, Line
from .listening import Listening
from .uploads import Upload

_HEARD = 8  # sounds that are kept for the browser to fetch


@dataclass(frozen=True, slots=True)
class Means:
    """What transfers run with, the same for all pages."""

    separator: str = "auto"
    repo: Path | None = None
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A finished download: its file, and the name that the browser gives it."""

    key: str
    path: Path
    name: str


class Workspace:
    """What belongs to one page, under a token that nobody can guess. `close` removes it all."""

    def __init__(self, base: Path, line: Line, limits: Limits, means: Means) -> None:
        self.token = secrets.token_urlsafe(24)
        self.folder = base / secrets.token_hex(8)
        self.folder.mkdir(mode=0o700)
        self.sounds: dict[str, Upload] = {}
        self.job: Job | None = None
        self.retouch: Retouch | None = None
        self.parcel: Parcel | None = None
        self.touched_s = time.monotonic()
        self.left = False
        self.limits = limits
        self._line, self._means = line, means
        self._cache = StemCache(self.folder / "stems")
        self._transferred: tuple[wishes.Transfer, Upload, list[Upload]] | None = None
        self._way: Interpolation | None = None
        self._players: dict[str, Listening] = {}
        self._heard: OrderedDict[str, bytes] = OrderedDict()
        self._turning = Lock()

    # What was dropped

    def room_for(self, role: str) -> None:
        """UsageError where another sound can't be taken in."""
        self._idle()
        held = sum(sound.role == "reference" for sound in self.sounds.values())
        if role == "reference" and held >= self.limits.references:
            raise UsageError(f"{held} references are there already; take one away first")

    def add(self, upload: Upload) -> None:
        """Take in a sound; a new input replaces the old one."""
        if upload.role == "input":
            for key in [key for key, sound in self.sounds.items() if sound.role == "input"]:
                del self.sounds[key]
        self.sounds[upload.key] = upload
        self._tidy()

    def remove(self, key: str) -> None:
        """Take a sound away."""
        self._idle()
        self.sounds.pop(key, None)
        self._tidy()

    # What is done

    def transfer(self, wish: wishes.Transfer) -> None:
        """Stand in line for a transfer. UsageError where there is no input, or no reference."""
        self._idle()
        source = next((sound for sound in self.sounds.values() if sound.role == "input"), None)
        chosen = {key: weight for key, weight in wish.weights.items() if key in self.sounds and weight > 0}
        references = [self.sounds[key] for key in chosen if self.sounds[key].role == "reference"]
        if source is None:
            raise UsageError("drop the mix that is to change first")
        if not references:
            raise UsageError("drop something that it should sound like, and give it a weight above 0")
        self._forget()
        self._transferred = wish, source, references
        self._tidy()
        weights = [wish.weights[sound.key] for sound in references]
        shares_of(len(references), weights)

        def work(progress: Progress) -> None:
            result = transfer(
                source.path,
                [sound.path for sound in references],
                weights=weights,
                separator=self._means.separator,
                repo=self._means.repo,
                device=self._means.device,
                cache=self._cache,
                progress=progress,
                **wish.asked(),
            )
            progress("preparing the players", 0.0)
            retouch = Retouch(self._named(result))
            self._players["mix"] = _mix_player(retouch)
            self.retouch = retouch
            progress("preparing the players", 1.0)

        self._start("transfer", work)

    def find_way(self) -> None:
        """Stand in line for both plain transfers, between which `between` moves."""
        self._idle()
        if self._transferred is None or self.retouch is None or len(self._transferred[2]) != 2:
            raise UsageError("there is a way between two references, after a transfer to both")
        wish, source, (first, second) = self._transferred

        def work(progress: Progress) -> None:
            way = interpolate(
                source.path,
                first.path,
                second.path,
                separator=self._means.separator,
                repo=self._means.repo,
                device=self._means.device,
                cache=self._cache,
                progress=progress,
                **wish.asked(),
            )
            way.rung_at(0.0), way.rung_at(1.0)
            self._way = way

        self._start("way", work)

    def stop(self) -> None:
        """Stop what waits or runs."""
        if self.job is not None:
            self._line.stop(self.job)

    # Knobs

    def turn(self, wish: wishes.Turn) -> dict[str, Any]:
        """Turn knobs of a strip; what the page needs to play and show it."""
        retouch = self.desk
        with self._turning:
            settings: Settings = wish.settings
            if not settings:
                settings = getattr(retouch.result.document.console, wish.strip)
            retouch.turn({wish.strip: settings})
            return self._heard_again([wish.strip])

    def between(self, wish: wishes.Between) -> dict[str, Any]:
        """Set all strips to a place between both references."""
        if self._way is None:
            raise UsageError("the way between the references isn't known yet")
        retouch = self.desk
        with self._turning:
            rung = self._way.rung_at(wish.at)
            retouch.turn({**rung.strips, "master": rung.master})
            return self._heard_again([*STEMS, "master"])

    @property
    def desk(self) -> Retouch:
        """The knobs. UsageError before a transfer."""
        if self.retouch is None:
            raise UsageError("there is no transfer yet")
        return self.retouch

    @property
    def way_ends(self) -> tuple[str, str] | None:
        """The names of both references, where there are two."""
        if self._transferred is None or len(self._transferred[2]) != 2:
            return None
        first, second = self._transferred[2]
        return first.name, second.name

    @property
    def way_known(self) -> bool:
        """Whether `between` can be asked."""
        return self._way is not None

    def player(self, key: str) -> Listening:
        """The mix's player, or a stem's, which is made when it is first asked for."""
        retouch = self.desk
        if key not in ("mix", *STEMS):
            raise UsageError(f"there is no stem {key!r}")
        with self._turning:
            if key not in self._players:
                self._players[key] = _stem_player(retouch, key)
            return self._players[key]

    def heard(self, key: str) -> bytes | None:
        """A sound that a turn rendered, while it is one of the latest."""
        return self._heard.get(key)

    # What is taken away

    def pack(self, wish: wishes.Download) -> None:
        """Stand in line for rendering the whole song and writing a download."""
        self._idle()
        retouch = self.desk

        def work(progress: Progress) -> None:
            finished = retouch.finished(progress)
            progress("writing", 0.0)
            key = secrets.token_urlsafe(16)
            path = self.folder / key
            downloads.write(finished, wish.kind, path)
            self._drop_parcel()
            name = downloads.name_of(retouch.result.song.name, wish.kind)
            self.parcel = Parcel(key, path, name)
            progress("writing", 1.0)

        self._start("download", work)

    # The page's life

    def close(self) -> None:
        """Stop, and remove everything."""
        self.stop()
        self._heard.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def busy(self) -> bool:
        """Whether something waits or runs."""
        return self.job is not None and self.job.pending

    def state(self) -> dict[str, Any]:
        """For the page: what is there, and how far the work is."""
        job = self.job
        return {
            "sounds": [sound.told for sound in self.sounds.values()],
            "desk": self.retouch is not None,
            "job": None
            if job is None
            else {
                "what": job.what,
                "state": job.state,
                "position": self._line.position(job),
                "stages": list(job.stages.items()),
                "error": None if job.error is None else self.spoken(job.error),
            },
            "download": None if self.parcel is None else self.parcel.key,
        }

    def spoken(self, sentence: str) -> str:
        """A sentence of the library's, with people's names of files instead of this server's."""
        known = {**self.sounds}
        if self._transferred is not None:
            known |= {sound.key: sound for sound in (self._transferred[1], *self._transferred[2])}
        for key, sound in known.items():
            sentence = sentence.replace(str(sound.path), sound.name).replace(key, sound.name)
        return sentence.replace(str(self.folder), "the temporary folder")

    def _heard_again(self, strips: list[str]) -> dict[str, Any]:
        retouch = self.desk
        exchanged = [self._players["mix"].exchange(retouch.mix())]
        exchanged += [
            self._players[name].exchange(retouch.stem(name)) for name in strips if name in self._players
        ]
        for one in exchanged:
            key = secrets.token_urlsafe(16)
            self._heard[key] = one.wave
            one.message["sound"] = key
        while len(self._heard) > _HEARD:
            self._heard.popitem(last=False)
        console = retouch.console
        return {
            "players": [one.message for one in exchanged],
            "settings": {name: getattr(console, name) for name in strips},
        }

    def _idle(self) -> None:
        if self.busy:
            raise UsageError("something is under way; wait for it, or stop it")

    def _start(self, what: str, work: Any) -> None:
        job = Job(what, work)
        self._line.join(job)
        self.job = job

    def _forget(self) -> None:
        self.retouch, self._way = None, None
        self._players.clear()
        self._heard.clear()
        self._drop_parcel()

    def _drop_parcel(self) -> None:
        if self.parcel is not None:
            self.parcel.path.unlink(missing_ok=True)
            self.parcel = None

    def _tidy(self) -> None:
        """Remove the files of sounds that neither lie on the page nor took part in what is on it."""
        used = {sound.path.name for sound in self.sounds.values()}
        if self._transferred is not None:
            used |= {sound.path.name for sound in (self._transferred[1], *self._transferred[2])}
        used |= {self.parcel.path.name} if self.parcel else set()
        for path in self.folder.iterdir():
            if path.is_file() and path.name not in used:
                path.unlink(missing_ok=True)

    def _named(self, result: Result) -> Result:
        """The result under the names that people gave their sounds."""
        assert self._transferred is not None
        _, source, references = self._transferred
        names = {sound.path.name: sound.name for sound in (source, *references)}
        document = result.document
        document.input.name = names.get(document.input.name, document.input.name)
        for told in document.references:
            told.name = names.get(told.name, told.name)
        for warned in document.warnings:
            warned.message = self.spoken(warned.message)
        reference = result.reference
        return replace(
            result,
            song=replace(result.song, name=source.name),
            reference=reference and replace(reference, name=names.get(reference.name, reference.name)),
        )


def _mix_player(retouch: Retouch) -> Listening:
    sounds = {INPUT: retouch.input(), RESULT: retouch.mix().with_channels(2)}
    if retouch.result.reference is not None:
        sounds[REFERENCE] = _loudest(retouch.result.reference.audio)
    return Listening("mix", "the mix", sounds, RESULT)


def _stem_player(retouch: Retouch, name: str) -> Listening:
    sounds = {INPUT: retouch.dry_stem(name), RESULT: retouch.stem(name)}
    if retouch.result.reference_stems is not None:
        sounds[REFERENCE] = _loudest(retouch.result.reference_stems[name])
    return Listening(name, name, sounds, RESULT)


def _loudest(audio: Audio) -> Audio:
    return audio.excerpt(*audio.loudest_s(PASSAGE_S)).with_channels(2)
