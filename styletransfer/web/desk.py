"""The desk on the page: knobs that are turned and heard, alone or between two references."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock
from typing import Any

from styletransfer.audio import STEMS, Audio
from styletransfer.errors import UsageError
from styletransfer.interpolation import Interpolation
from styletransfer.report.versions import INPUT, REFERENCE, RESULT
from styletransfer.retouching import PASSAGE_S, Retouch

from . import wishes
from .listening import Listening

_HEARD = 8  # sounds that are kept for the browser to fetch


class Desk:
    """A transfer's knobs and players.

    ends  the names of the two references, where there are two.
    way   what lies between them, once it is known.
    """

    def __init__(self, retouch: Retouch, ends: tuple[str, str] | None) -> None:
        self.retouch = retouch
        self.ends = ends
        self.way: Interpolation | None = None
        self._players = {"mix": _mix_player(retouch)}
        self._heard: OrderedDict[str, bytes] = OrderedDict()
        self._turning = Lock()

    def turn(self, wish: wishes.Turn) -> dict[str, Any]:
        """Turn knobs of a strip; what the page needs to play and show it."""
        with self._turning:
            settings = wish.settings
            if not settings:
                settings = self.retouch.first[wish.strip]
            self.retouch.turn({wish.strip: settings})
            return self._rendered([wish.strip])

    def between(self, wish: wishes.Between) -> dict[str, Any]:
        """Set all strips to a place between both references. UsageError before the way is known."""
        if self.way is None:
            raise UsageError("the way between the references isn't known yet")
        with self._turning:
            rung = self.way.rung_at(wish.at)
            self.retouch.turn({**rung.strips, "master": rung.master})
            return self._rendered([*STEMS, "master"])

    def player(self, key: str) -> Listening:
        """The mix's player, or a stem's, which is made when it is first asked for."""
        if key not in ("mix", *STEMS):
            raise UsageError(f"there is no stem {key!r}")
        with self._turning:
            if key not in self._players:
                self._players[key] = _stem_player(self.retouch, key)
            return self._players[key]

    def heard(self, key: str) -> bytes | None:
        """A sound that a turn rendered, as a WAV, while it is one of the latest."""
        return self._heard.get(key)

    def _rendered(self, strips: list[str]) -> dict[str, Any]:
        exchanged = [self._players["mix"].exchange(self.retouch.mix())]
        exchanged += [
            self._players[name].exchange(self.retouch.stem(name)) for name in strips if name in self._players
        ]
        for one in exchanged:
            key = secrets.token_urlsafe(16)
            self._heard[key] = one.wave
            one.message["sound"] = key
        while len(self._heard) > _HEARD:
            self._heard.popitem(last=False)
        return {
            "players": [one.message for one in exchanged],
            "settings": {name: self.retouch.settings(name) for name in strips},
        }


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
