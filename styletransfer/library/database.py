"""Where styles are kept: one SQLite file, which several processes may use and a kill doesn't harm.

Each change is a transaction of its own in write-ahead logging: after `kill -9` a style is there as a
whole or not at all. All values reach SQL as parameters.
"""

from __future__ import annotations

import difflib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_data_path

from styletransfer.errors import AudioError, ConfigError, UsageError
from styletransfer.texts import plain

from .saved import PARTS, SavedStyle
from .style_file import pack, unpack

FORMAT = 2
"""2 since an embedding's parts weigh differently (`encoder.network.joined`); older ones are made anew."""

BUSY_S = 60.0
"""How long one process waits for another's change."""

_APPLICATION = 0x614D6C62  # "aMlb", by which a file says that it is one of these

_SCHEMA = """
CREATE TABLE styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    sound TEXT,
    title TEXT NOT NULL,
    encoder TEXT NOT NULL,
    separator TEXT NOT NULL,
    path BLOB,
    added_s REAL NOT NULL,
    style BLOB NOT NULL
);
CREATE INDEX styles_by_sound ON styles (sound);
CREATE INDEX styles_by_title ON styles (title COLLATE NOCASE);
CREATE TABLE files (
    sha256 TEXT PRIMARY KEY,
    style INTEGER NOT NULL REFERENCES styles ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX files_by_style ON files (style);
CREATE TABLE tags (
    style INTEGER NOT NULL REFERENCES styles ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (style, tag)
) WITHOUT ROWID;
CREATE TABLE embeddings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    style INTEGER NOT NULL REFERENCES styles ON DELETE CASCADE,
    part TEXT NOT NULL,
    encoder TEXT NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX embeddings_by_style ON embeddings (style);
CREATE INDEX embeddings_by_part ON embeddings (encoder, part);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a library says of a style: `number` is its own; `path` where its sound was last seen."""

    number: int
    title: str
    tags: tuple[str, ...]
    encoder: str
    path: Path | None
    added_s: float


def default_path() -> Path:
    """AUTOMIX_LIBRARY, or a file under the user's data folder."""
    home = os.environ.get("AUTOMIX_LIBRARY")
    return Path(home) if home else user_data_path("automix", appauthor=False) / "library.sqlite"


class Library:
    """Styles in one SQLite file. It is made where it is missing, unless `must_exist`.

    ConfigError where the file is damaged, or is something else; AudioError where it can't be written;
    UsageError for a library that must exist and doesn't.
    """

    def __init__(self, path: Path | None = None, *, must_exist: bool = False) -> None:
        self.path = path or default_path()
        if must_exist and not self.path.exists():
            raise UsageError(f"there is no library {self.path}; add songs with `automix library add`")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AudioError(
                f"{self.path.parent} can't be made ({error.strerror}); choose another"
            ) from error
        with self._named():
            self._sql = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            self._sql.execute("PRAGMA foreign_keys = ON")
            self._sql.execute("PRAGMA synchronous = NORMAL")
            self._prepare()

    def close(self) -> None:
        self._sql.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def __len__(self) -> int:
        with self._named():
            return int(self._sql.execute("SELECT count(*) FROM styles").fetchone()[0])

    def check_filled(self) -> None:
        """UsageError where nothing is kept."""
        if len(self) == 0:
            raise UsageError(f"the library {self.path} is empty; add songs with `automix library add`")

    def knows_file(self, sha256: str, encoder: str, separator: str) -> bool:
        """Whether the style of a file with those bytes is here, as that encoder and separator hear it.

        separator   its fingerprint.
        """
        return self._there(
            "SELECT 1 FROM files JOIN styles ON styles.id = files.style "
            "WHERE files.sha256 = ? AND encoder = ? AND separator = ?",
            (sha256, encoder, separator),
        )

    def note_file(
        self, sound_sha256: str, file_sha256: str, path: Path, encoder: str, separator: str
    ) -> bool:
        """Whether a whole song with those samples is known, as `knows_file` has it; then its file is, too."""
        with self._change():
            row = self._sql.execute(
                "SELECT id FROM styles WHERE sound = ? AND encoder = ? AND separator = ?",
                (sound_sha256, encoder, separator),
            ).fetchone()
            if row is not None:
                self._sql.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (file_sha256, row[0]))
                self._sql.execute("UPDATE styles SET path = ? WHERE id = ?", (_packed(path), row[0]))
        return row is not None

    def add(self, style: SavedStyle, file_sha256: str | None = None, path: Path | None = None) -> bool:
        """Keep a style; False where it is here already, as the same encoder and separator heard it.

        One that another encoder or separator heard gives way; its title and tags stay.
        """
        with self._change():
            row = self._sql.execute(
                "SELECT id, encoder, separator FROM styles WHERE key = ?", (style.key,)
            ).fetchone()
            same = row is not None and row[1:] == (style.song.encoder, style.separator.fingerprint)
            if row is None:
                number = self._insert(style, path)
            elif not same:
                number = row[0]
                self._replace(number, style, path)
            else:
                number = row[0]
            if file_sha256 is not None:
                self._sql.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (file_sha256, number))
        return not same

    def fill(self, encoder: str, part: str, vectors: NDArray[np.float32]) -> None:
        """Styles of which only the embeddings of one part (n, D) are known, to measure searches by."""
        with self._change():
            first = self._sql.execute("SELECT coalesce(max(id), 0) + 1 FROM styles").fetchone()[0]
            self._sql.executemany(
                "INSERT INTO styles (id, key, title, encoder, separator, added_s, style) "
                "VALUES (?1, ?1, ?1, ?2, '', 0, x'')",
                [(number, encoder) for number in range(first, first + len(vectors))],
            )
            self._sql.executemany(
                "INSERT INTO embeddings (style, part, encoder, vector) VALUES (?, ?, ?, ?)",
                [(first + n, part, encoder, row.tobytes()) for n, row in enumerate(vectors.astype("<f2"))],
            )

    def entries(self, tag: str | None = None) -> list[Entry]:
        """What is kept, by title; only what has a tag where one is given."""
        if tag is None:
            return self._entries("ORDER BY title COLLATE NOCASE, id", ())
        return self._entries(
            "WHERE id IN (SELECT style FROM tags WHERE tag = ?) ORDER BY title COLLATE NOCASE, id",
            (plain(tag, 60),),
        )

    def entries_of(self, numbers: Sequence[int]) -> list[Entry]:
        """What is kept under those numbers, in their order; those that are gone are left out."""
        return [entry for number in numbers for entry in self._entries("WHERE id = ?", (number,))]

    def find(self, name: str) -> Entry:
        """The style of that title, whatever its case, or of that number, like "#12".

        UsageError where there is none, or there are several.
        """
        if name.startswith("#") and name[1:].isdecimal():
            found = self._entries("WHERE id = ?", (int(name[1:]) % 2**63,))
        else:
            found = self._entries("WHERE title = ? COLLATE NOCASE ORDER BY id", (plain(name),))
            found = [entry for entry in found if entry.title == plain(name)] or found
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(f"#{entry.number}" for entry in found)
            raise UsageError(f"{plain(name)!r} names several styles in {self.path}; choose one of {numbers}")
        with self._named():
            titles = [row[0] for row in self._sql.execute("SELECT title FROM styles LIMIT 10000")]
        near = difflib.get_close_matches(plain(name), titles, 3)
        told = f"did you mean {' or '.join(map(repr, near))}?" if near else "`automix library list` tells"
        raise UsageError(f"there is no style {plain(name)!r} in {self.path}; {told}")

    def encoders(self) -> set[str]:
        """The fingerprints of all encoders that heard something that is kept."""
        with self._named():
            return {row[0] for row in self._sql.execute("SELECT DISTINCT encoder FROM styles")}

    def get(self, number: int) -> SavedStyle:
        """A style, with the title and tags it has here. KeyError where it isn't here."""
        with self._named():
            row = self._sql.execute("SELECT title, style FROM styles WHERE id = ?", (number,)).fetchone()
            tags = self._tags(number)
        if row is None:
            raise KeyError(number)
        kept = unpack(row[1], f"style #{number} in {self.path}")
        return kept.called(row[0], tags)

    def tag(self, numbers: Iterable[int], add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Give styles tags, and take others from them."""
        add, remove = ([plain(tag, 60) for tag in tags] for tags in (add, remove))
        with self._change():
            for number in numbers:
                self._sql.executemany(
                    "DELETE FROM tags WHERE style = ? AND tag = ?", [(number, tag) for tag in remove]
                )
                self._sql.executemany(
                    "INSERT OR IGNORE INTO tags VALUES (?, ?)", [(number, tag) for tag in add if tag]
                )

    def numbers_of(self, *, file_sha256: str = "", key: str = "") -> list[int]:
        """The styles that were heard in a file with those bytes, or that have that key."""
        with self._named():
            rows = self._sql.execute(
                "SELECT style FROM files WHERE sha256 = ? UNION SELECT id FROM styles WHERE key = ?",
                (file_sha256, key),
            )
            return [row[0] for row in rows]

    def remove(self, numbers: Iterable[int]) -> int:
        """Forget styles; how many there were."""
        with self._change():
            found = [
                self._sql.execute("DELETE FROM styles WHERE id = ?", (number,)).rowcount for number in numbers
            ]
        return sum(found)

    def vectors(
        self, part: str, encoder: str, after: int = 0, at_a_time: int = 8192
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Rows (ids (n,), vectors (n, D)) of one part, as one encoder heard it, with ids above `after`."""
        while True:
            with self._named():
                rows = self._sql.execute(
                    "SELECT id, vector FROM embeddings WHERE encoder = ? AND part = ? AND id > ? "
                    "ORDER BY id LIMIT ?",
                    (encoder, part, after, at_a_time),
                ).fetchall()
            if not rows:
                return
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            yield ids, np.frombuffer(b"".join(row[1] for row in rows), dtype="<f2").reshape(len(rows), -1)
            after = int(ids[-1])

    def vectors_of(self, ids: Iterable[int]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """The rows with those ids, where they still are here."""
        with self._named():
            rows = self._sql.execute(
                "SELECT id, vector FROM embeddings WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps([int(one) for one in ids]),),
            ).fetchall()
        found = np.array([row[0] for row in rows], dtype=np.int64)
        return found, np.frombuffer(b"".join(row[1] for row in rows), dtype="<f2").reshape(len(rows), -1)

    def count(self, part: str, encoder: str, after: int = 0, most: int = -1) -> int:
        """How many rows `vectors` gives; no further than `most`, since a million take 40 ms to count."""
        with self._named():
            row = self._sql.execute(
                "SELECT count(*) FROM "
                "(SELECT 1 FROM embeddings WHERE encoder = ? AND part = ? AND id > ? LIMIT ?)",
                (encoder, part, after, most),
            ).fetchone()
        return int(row[0])

    def styles_of(self, ids: Iterable[int]) -> list[int]:
        """The number of the style that each row belongs to."""
        wanted = [int(one) for one in ids]
        with self._named():
            rows = self._sql.execute(
                "SELECT id, style FROM embeddings WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(wanted),),
            )
            styles: dict[int, int] = dict(rows.fetchall())
        return [styles[one] for one in wanted]

    def _insert(self, style: SavedStyle, path: Path | None) -> int:
        number = self._sql.execute(
            "INSERT INTO styles (key, sound, title, encoder, separator, path, added_s, style) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                style.key,
                style.sound,
                style.title,
                style.song.encoder,
                style.separator.fingerprint,
                _packed(path),
                time.time(),
                pack(style),
            ),
        ).lastrowid
        assert number is not None
        self._sql.executemany("INSERT INTO tags VALUES (?, ?)", [(number, tag) for tag in style.tags])
        self._insert_vectors(number, style)
        return number

    def _replace(self, number: int, style: SavedStyle, path: Path | None) -> None:
        self._sql.execute(
            "UPDATE styles SET encoder = ?, separator = ?, path = coalesce(?, path), style = ? WHERE id = ?",
            (style.song.encoder, style.separator.fingerprint, _packed(path), pack(style), number),
        )
        self._sql.execute("DELETE FROM embeddings WHERE style = ?", (number,))
        self._insert_vectors(number, style)

    def _insert_vectors(self, number: int, style: SavedStyle) -> None:
        rows = [
            (number, part, style.song.encoder, style.part(part)[0].embedding.numpy().astype("<f2").tobytes())
            for part in PARTS
            if not style.part(part)[0].silent
        ]
        self._sql.executemany(
            "INSERT INTO embeddings (style, part, encoder, vector) VALUES (?, ?, ?, ?)", rows
        )

    def _prepare(self) -> None:
        self._sql.execute("PRAGMA journal_mode = WAL")
        with self._change():
            application = self._sql.execute("PRAGMA application_id").fetchone()[0]
            version = self._sql.execute("PRAGMA user_version").fetchone()[0]
            empty = self._sql.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            if empty:
                for statement in _SCHEMA.split(";"):
                    self._sql.execute(statement)
                self._sql.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._sql.execute(f"PRAGMA user_version = {FORMAT}")
                return
            if application == _APPLICATION and version == 1:
                self._sql.execute("DELETE FROM embeddings")
                for (number,) in self._sql.execute("SELECT id FROM styles").fetchall():
                    query = self._sql.execute("SELECT style FROM styles WHERE id = ?", (number,))
                    style = unpack(query.fetchone()[0], f"style #{number} in {self.path}")
                    self._insert_vectors(number, style)
                self._sql.execute(f"PRAGMA user_version = {FORMAT}")
                return
        if application != _APPLICATION or version != FORMAT:
            raise ConfigError(f"{self.path} is no library of styles that this version reads; name another")

    def _entries(self, clause: str, values: tuple[str | int, ...]) -> list[Entry]:
        """`clause` is this module's own text; what comes from outside is in `values`."""
        with self._named():
            rows = self._sql.execute(f"SELECT id, title, encoder, path, added_s FROM styles {clause}", values)
            return [
                Entry(number, title, self._tags(number), encoder, _unpacked(path), added_s)
                for number, title, encoder, path, added_s in rows.fetchall()
            ]

    def _tags(self, number: int) -> tuple[str, ...]:
        rows = self._sql.execute("SELECT tag FROM tags WHERE style = ? ORDER BY tag", (number,))
        return tuple(tag for (tag,) in rows)

    def _there(self, statement: str, values: tuple[str, ...]) -> bool:
        with self._named():
            return self._sql.execute(statement, values).fetchone() is not None

    @contextmanager
    def _change(self) -> Iterator[None]:
        """A transaction that is written as a whole or not at all."""
        with self._named():
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._sql.execute("ROLLBACK")
                raise
            self._sql.execute("COMMIT")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """SQLite's errors as sentences."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise AudioError(
                f"the library {self.path} can't be used ({error}); try again, or another"
            ) from error
        except sqlite3.DatabaseError as error:
            raise ConfigError(
                f"{self.path} is no library of styles, or damaged ({error}); name another with --library"
            ) from error


def _packed(path: Path | None) -> bytes | None:
    return None if path is None else os.fsencode(path.absolute())


def _unpacked(path: bytes | None) -> Path | None:
    return None if path is None else Path(os.fsdecode(path))
