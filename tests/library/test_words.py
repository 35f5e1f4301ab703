"""Differences in words: what was done is said, what can't be heard isn't."""

from __future__ import annotations

import torch
from library_sounds import RATE, noise

from styletransfer.audio import Audio
from styletransfer.encoder.measures import measure
from styletransfer.library.words import differences, dynamic, louder, sentence, typical

SOUND = noise(0, 6.0, tilt=1.0)


def shelved(gain_db: float, from_hz: float, to_hz: float = 30_000.0) -> Audio:
    spectrum = torch.fft.rfft(SOUND.samples)
    frequency_hz = torch.fft.rfftfreq(SOUND.frames, 1 / RATE)
    spectrum[:, (frequency_hz >= from_hz) & (frequency_hz < to_hz)] *= 10 ** (gain_db / 20)
    return Audio(torch.fft.irfft(spectrum, n=SOUND.frames), RATE)


def told(found: Audio, asked: Audio = SOUND) -> str:
    return sentence(differences(measure(found.samples, RATE), measure(asked.samples, RATE)))


def test_what_was_done_to_the_tone_is_said() -> None:
    assert told(shelved(4.0, 8000.0)) == "brighter by 4 dB above 8 kHz"
    assert told(shelved(-4.0, 8000.0)) == "darker by 4 dB above 8 kHz"
    assert told(shelved(5.0, 250.0, 800.0)) == "4 dB more from 250 Hz to 800 Hz"
    assert "bass" in told(shelved(6.0, 20.0, 60.0))
    assert told(shelved(5.0, 3000.0)) == "brighter by 5 dB above 3 kHz"


def test_what_cannot_be_heard_is_not_said() -> None:
    assert told(SOUND) == "no audible difference"
    assert told(shelved(0.6, 8000.0)) == "no audible difference"
    louder_copy = Audio(2 * SOUND.samples, RATE)
    assert told(louder_copy) == "no audible difference"  # at equal loudness
    assert sentence([louder(-14.0, -14.5)]) == "no audible difference"
    assert sentence(dynamic(None, 3.0)) == "no audible difference"


def test_width_is_held_against_its_own_ear() -> None:
    """The same 3 dB of side are heard on a wide sound, and not on a nearly mono one."""

    def widened(width: float, factor: float) -> str:
        sound = noise(2, 6.0, width=width)
        mid, side = sound.samples.mean(0), factor * (sound.samples[0] - sound.samples[1]) / 2
        return told(Audio(torch.stack([mid + side, mid - side]), RATE), sound)

    assert widened(0.4, 10 ** (3 / 20)) == "wider by 3 dB"
    assert widened(0.4, 10 ** (-3 / 20)) == "narrower by 3 dB"
    assert widened(0.02, 10 ** (3 / 20)) == "no audible difference"


def test_punch_balance_loudness_and_range_are_said() -> None:
    clipped = Audio(SOUND.samples.clamp(-0.12, 0.12), RATE)
    assert "less punch by" in told(clipped)
    leaning = Audio(SOUND.samples * torch.tensor([[0.7], [1.0]]), RATE)
    assert "dB further right" in told(leaning)
    assert sentence([louder(-9.0, -12.0)]) == "3 dB louder"
    assert sentence([louder(-12.0, -9.0, " in its mix")]) == "3 dB softer in its mix"
    assert sentence(dynamic(3.0, 9.0)) == "less dynamic by 6 LU"


def test_the_most_audible_comes_first_and_few_are_told() -> None:
    said = [(1.5, "small"), (9.0, "large"), (0.9, "none"), (3.0, "middle")]
    assert sentence(said) == "large, middle, small"
    assert sentence(said, 1) == "large"


def test_silence_differs_in_nothing() -> None:
    assert told(Audio(torch.zeros(2, RATE), RATE)) == "no audible difference"


def test_a_missing_treble_is_said() -> None:
    assert "nothing above 10" in told(shelved(-200.0, 10_000.0))


def test_the_typical_lies_in_the_middle() -> None:
    measured = [measure(noise(n, 3.0, tilt=float(n)).samples, RATE) for n in range(3)]
    middle = typical(measured)
    assert sentence(differences(middle, measured[1])) == "no audible difference"
    assert "darker" in sentence(differences(measured[2], middle))
