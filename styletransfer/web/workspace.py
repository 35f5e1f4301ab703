"""One open page: the sounds that were dropped, the transfer, the knobs, and what is taken away."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from styletransfer.errors import UsageError
from styletransfer.interpolation import interpolate
from styletransfer.library import Library, separator_for
from styletransfer.library.style_file import pack as packed
from styletransfer.pipeline import transfer
from styletransfer.result import Result
from styletransfer.retouching import Retouch
from styletransfer.sources import Progress
from styletransfer.stem_cache import StemCache

from . import downloads, wishes
from .desk import Desk
from .limits import Limits
from .line import Job, Line
from .uploads import Upload


@dataclass(frozen=True, slots=True)
class Means:
    """What transfers run with, the same for all pages.

    library  whose styles are offered as references, to whoever opens a page; none unless given.
    """

    separator: str = "auto"
    repo: Path | None = None
    device: str = "cpu"
    converter: str = "auto"
    library: Path | None = None


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
        self._desk: Desk | None = None
        self.parcel: Parcel | None = None
        self.touched_s = time.monotonic()
        self.left = False
        self.limits = limits
        self._line, self._means = line, means
        self._cache = StemCache(self.folder / "stems")
        self._transferred: tuple[wishes.Transfer, Upload, list[Upload]] | None = None
        self._starting = Lock()
        self._uploads: dict[str, Path] = {}  # by key, as long as the files are there

    # What was dropped

    def room_for(self, role: str) -> None:
        """UsageError where another sound can't be taken in."""
        self._idle()
        held = sum(sound.role == "reference" for sound in self.sounds.values())
        if role == "reference" and held >= self.limits.references:
            raise UsageError(f"{held} references are there already; take one away first")

    def add(self, upload: Upload) -> None:
        """Take in a sound; a new input replaces the old one. Errors as `room_for`, and then it is gone."""
        self._uploads[upload.key] = upload.path
        try:
            self.room_for(upload.role)  # others may have come meanwhile
            if upload.role == "input":
                for key in [key for key, sound in self.sounds.items() if sound.role == "input"]:
                    del self.sounds[key]
            self.sounds[upload.key] = upload
        finally:
            self._tidy()

    def remove(self, key: str) -> None:
        """Take a sound away."""
        self._idle()
        self.sounds.pop(key, None)
        self._tidy()

    def styles(self) -> list[dict[str, Any]]:
        """What the library offers: numbers and titles."""
        if self._means.library is None or not self._means.library.exists():
            return []
        with Library(self._means.library) as kept:
            return [{"number": entry.number, "title": entry.title} for entry in kept.entries()]

    def take(self, wish: wishes.Kept) -> None:
        """Take in a style of the library as a reference. UsageError where it offers none such."""
        if wish.number not in [style["number"] for style in self.styles()]:
            raise UsageError("that style isn't in the library any more; reload the page")
        assert self._means.library is not None
        with Library(self._means.library) as kept:
            style = kept.get(wish.number)
        key = secrets.token_urlsafe(16)
        path = self.folder / key
        path.write_bytes(packed(style))
        self.add(Upload(key, "reference", style.title, path, 0.0, style))

    # What is done

    def transfer(self, wish: wishes.Transfer) -> None:
        """Stand in line for a transfer. UsageError where there is no input, or no reference."""
        source = next((sound for sound in self.sounds.values() if sound.role == "input"), None)
        references = [
            sound
            for sound in self.sounds.values()
            if sound.role == "reference" and wish.weights.get(sound.key, 0) > 0
        ]
        if source is None:
            raise UsageError("drop the mix that is to change first")
        if not references:
            raise UsageError(
                "drop something that the whole song should sound like, and give it a weight above 0"
            )
        by_stem: dict[str, Upload] = {stem: self._reference(key) for stem, key in wish.stems.items()}

        def work(progress: Progress) -> None:
            result = transfer(
                source.path,
                [sound.reference for sound in references],
                stem_references={stem: sound.reference for stem, sound in by_stem.items()},
                weights=[wish.weights[sound.key] for sound in references],
                progress=progress,
                **self._shared(wish, [*references, *by_stem.values()]),
            )
            progress("preparing the players", 0.0)
            ends = (references[0].name, references[1].name) if len(references) == 2 else None
            self._desk = Desk(Retouch(self._named(result)), ends)
            progress("preparing the players", 1.0)

        with self._starting:
            self._idle()
            self._line.check_room()
            self._desk = None
            self._drop_parcel()
            self._transferred = wish, source, [*references, *by_stem.values()]
            self._tidy()
            self._start("transfer", work)

    def find_way(self) -> None:
        """Stand in line for both plain transfers, between which `between` moves."""
        desk = self.desk
        if self._transferred is None or desk.ends is None:
            raise UsageError("there is a way between two references, after a transfer to both")
        wish, source, (first, second, *for_stems) = self._transferred
        by_stem = dict(zip(wish.stems, for_stems, strict=True))

        def work(progress: Progress) -> None:
            way = interpolate(
                source.path,
                first.reference,
                second.reference,
                stem_references={stem: sound.reference for stem, sound in by_stem.items()},
                progress=progress,
                **self._shared(wish, [first, second, *for_stems]),
            )
            way.rung_at(0.5)  # renders both ends
            desk.way = way

        with self._starting:
            self._start("way", work)

    def stop(self) -> None:
        """Stop what waits or runs."""
        if self.job is not None:
            self._line.stop(self.job)

    @property
    def desk(self) -> Desk:
        """The knobs. UsageError before a transfer."""
        if self._desk is None:
            raise UsageError("there is no transfer yet")
        return self._desk

    # What is taken away

    def pack(self, wish: wishes.Download) -> None:
        """Stand in line for rendering the whole song and writing a download."""
        retouch = self.desk.retouch

        def work(progress: Progress) -> None:
            finished = retouch.finished(progress)
            progress("writing", 0.0)
            self._drop_parcel()
            key = secrets.token_urlsafe(16)
            path = self.folder / key
            try:
                downloads.write(finished, wish.kind, path)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            name = downloads.name_of(retouch.result.song.name, wish.kind)
            self.parcel = Parcel(key, path, name)
            progress("writing", 1.0)

        with self._starting:
            self._start("download", work)

    # The page's life

    def close(self) -> None:
        """Stop, and remove everything."""
        self.stop()
        self._desk = None
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
            "desk": self._desk is not None,
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

    def _idle(self) -> None:
        if self.busy:
            raise UsageError("something is under way; wait for it, or stop it")

    def _start(self, what: str, work: Callable[[Progress], None]) -> None:
        self._idle()
        self.job = Job(what, work)
        self._line.join(self.job)

    def _reference(self, key: str) -> Upload:
        sound = self.sounds.get(key)
        if sound is None or sound.role != "reference":
            raise UsageError("a stem's reference isn't there any more; choose another")
        return sound

    def _shared(self, wish: wishes.Transfer, references: list[Upload]) -> dict[str, Any]:
        """What a transfer and an interpolation are both given."""
        means = self._means
        styles = [sound.kept for sound in references if sound.kept is not None]
        found = {
            "separator": separator_for(styles, means.separator, repo=means.repo, device=means.device),
            "repo": means.repo,
            "device": means.device,
            "converter": means.converter,
        }
        return wish.asked() | found | {"cache": self._cache}

    def _drop_parcel(self) -> None:
        if self.parcel is not None:
            self.parcel.path.unlink(missing_ok=True)
            self.parcel = None

    def _tidy(self) -> None:
        """Remove the files of sounds that neither lie on the page nor took part in what is on it."""
        used = set(self.sounds)
        if self._transferred is not None:
            used |= {sound.key for sound in (self._transferred[1], *self._transferred[2])}
        for key in set(self._uploads) - used:
            self._uploads.pop(key).unlink(missing_ok=True)

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
