from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator
from training_corpus import small_corpus

from styletransfer.corpus.folder import RATE, Corpus
from styletransfer.corpus.passages import LOUDNESS_LUFS, active_share, levelled
from styletransfer.encoder.loudness import integrated_lufs
from styletransfer.errors import AudioError
from styletransfer.training.encoder.contents import Contents
from styletransfer.training.encoder.variation import MOST_SEMITONES, MOST_STRETCH, varied


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"))


def test_a_split_plays_only_its_own_pieces_and_a_group_different_ones(corpus: Path) -> None:
    contents = Contents(Corpus(corpus), "train", 2.0)
    assert contents.pieces("mix") == ["train-0", "train-1", "train-2"]
    for group in contents.draw(Generator().manual_seed(0), "mix", 10, 3):
        spectra = torch.fft.rfft(group.mean(1)).abs()
        unit = spectra / spectra.norm(dim=1, keepdim=True)
        assert (unit @ unit.T)[0, 1:].max() < 0.99


@pytest.mark.parametrize("vary", [False, True])
def test_excerpts_are_equally_loud_and_the_same_seed_draws_the_same(corpus: Path, vary: bool) -> None:
    contents = Contents(Corpus(corpus), "validation", 2.0, vary=vary)
    for stem in ("drums", "mix"):
        sounds = contents.draw(Generator().manual_seed(1), stem, 3, 2)
        assert sounds.shape == (3, 2, 2, 2 * RATE)
        assert torch.equal(sounds, contents.draw(Generator().manual_seed(1), stem, 3, 2))
        for sound in sounds.flatten(0, 1):
            assert integrated_lufs(sound, RATE) == pytest.approx(LOUDNESS_LUFS, abs=0.1)


def test_pauses_don_t_count_towards_the_loudness_and_silence_stays() -> None:
    sound = torch.randn(2, 6 * RATE, generator=Generator().manual_seed(0)) * 0.1
    padded = torch.cat((sound, torch.zeros_like(sound)), 1)
    torch.testing.assert_close(levelled(padded)[0][:, : 6 * RATE], levelled(sound)[0], atol=1e-3, rtol=0.02)
    assert levelled(torch.zeros(2, RATE))[0].abs().max() == 0
    assert active_share(padded) == pytest.approx(0.5, abs=0.1)
    assert active_share(torch.zeros(2, RATE)) == 0


def test_variation_moves_the_pitch_within_its_range_and_the_tone_by_a_few_db() -> None:
    frames = 2 * RATE
    time = torch.arange(round(frames * MOST_STRETCH) + 1) / RATE
    sound = (0.3 * torch.sin(2 * torch.pi * 1000 * time)).expand(2, -1)
    tones = []
    for seed in range(20):
        changed = varied(Generator().manual_seed(seed), sound, frames)
        assert changed.shape == (2, frames)
        assert changed.isfinite().all()
        assert 0.15 < changed[:, 2000:-2000].abs().max() < 0.6
        tones.append(float(torch.fft.rfft(changed[0] * torch.hann_window(frames)).abs().argmax()) / 2)
    assert 1000 / 2 ** (MOST_SEMITONES / 12) - 2 < min(tones) < 950
    assert 1050 < max(tones) < 1000 * MOST_STRETCH + 2


def test_too_small_a_corpus_is_refused_in_a_sentence(tmp_path: Path) -> None:
    small_corpus(tmp_path, pieces=(1, 1, 1))
    with pytest.raises(AudioError, match=r"no two pieces for train; build more"):
        Contents(Corpus(tmp_path), "train", 2.0)


def test_stems_that_are_kept_in_memory_are_the_same(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, kept = (Contents(Corpus(corpus), "train", 2.0, vary=True, keep=keep) for keep in (False, True))
    for stem in ("mix", "drums"):
        wanted, found = (one.draw(Generator().manual_seed(2), stem, 3, 2) for one in (read, kept))
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)
    songs = read.together(("bass", "other"))
    assert len(songs) == 3
    wanted, found = (one.draw_songs(Generator().manual_seed(3), ["bass", "other"], 2) for one in (read, kept))
    assert torch.equal(found, wanted)
    monkeypatch.setattr("styletransfer.corpus.folder._read", lambda *_: pytest.fail("read again"))
    kept.draw(Generator().manual_seed(2), "drums", 3, 2)
