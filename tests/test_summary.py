"""What a strip did, in a line: only what is worth telling."""

from __future__ import annotations

from styletransfer.converter.console import STRIP, neutral
from styletransfer.summary import moves


def test_moves_are_told_in_signal_order_with_their_units() -> None:
    strip = neutral(STRIP)
    strip["gain"]["gain_db"], strip["width"]["width"], strip["balance"]["balance"] = -2.0, 2.0, -0.1
    strip["reverb"] |= {"wet": 0.06, "decay_s": 0.7}
    assert moves(STRIP, strip) == "width +6.0 dB, balance 10% left, reverb 6% of 0.7 s, level -2.0 dB"


def test_what_the_digits_would_tell_as_nothing_is_left_out() -> None:
    strip = neutral(STRIP)
    strip["gain"]["gain_db"], strip["width"]["width"], strip["balance"]["balance"] = 0.04, 1.004, 0.004
    strip["reverb"]["wet"] = 0.004
    strip["eq"]["peak_1_gain_db"] = 0.4
    assert moves(STRIP, strip) == ""
