"""Chains as batches: identity, order, loudness, targets and what is written down."""

from __future__ import annotations

import json
import math

import pytest
import torch
from chain_sounds import RATE, difference_db, music, settings, tone

from styletransfer.chains import (
    EFFECTS,
    GENTLE,
    PARAMETER_NAMES,
    PUBLISHED,
    RECIPES,
    STAGES,
    VARIED,
    Chain,
    Recipe,
    draw,
    draw_exactly,
    draw_only,
)
from styletransfer.chains.chain import empty
from styletransfer.chains.effects import IMPLEMENTATIONS
from styletransfer.chains.loudness import k_weighted_energy
from styletransfer.chains.parameters import COLUMNS, PARAMETERS
from styletransfer.encoder.loudness import integrated_lufs


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_stage(stage: str, **changed: float) -> Chain:
    """A chain of one console effect at a clear setting."""
    chain = empty(1)
    chain.implementations[0, STAGES.index(stage)] = 0
    for column, value in enumerate(settings(stage, 1, **changed).values(), COLUMNS[stage].start):
        chain.values[0, column] = value[0]
    return chain


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_every_effect_but_gain_keeps_the_loudness(recipe: Recipe) -> None:
    samples = music(3.0)
    chain = draw(seeded(3), 12, "other", recipe, chances={"gain": 0.0, "codec": 0.0})
    output = chain.apply(samples[torch.arange(12) % 3], RATE)
    assert output.isfinite().all()
    before = 10 * k_weighted_energy(samples, RATE).log10()
    after = 10 * k_weighted_energy(output, RATE).log10()
    assert float((after - before[torch.arange(12) % 3]).abs().max()) < 0.05


def test_the_kept_loudness_is_the_standards() -> None:
    samples = music(3.0)[:1]
    for stage in EFFECTS:
        if stage in ("gain", "expander"):  # an expander makes pauses, which the standard's gate skips
            continue
        output = one_stage(stage).apply(samples, RATE)
        change = integrated_lufs(output[0], RATE) - integrated_lufs(samples[0], RATE)
        assert abs(change) < 0.5, stage


def test_gain_changes_the_loudness_by_itself_and_what_follows_keeps_it() -> None:
    samples = music()[:1]
    chain = one_stage("gain", gain_db=5.0)
    chain.implementations[0, STAGES.index("compressor")] = 0
    for column, value in enumerate(settings("compressor", 1).values(), COLUMNS["compressor"].start):
        chain.values[0, column] = value[0]
    chain.places[0, STAGES.index("compressor")] = 1.0
    energy = k_weighted_energy(chain.apply(samples, RATE), RATE) / k_weighted_energy(samples, RATE)
    assert 10 * math.log10(float(energy[0])) == pytest.approx(5.0, abs=0.01)


def test_an_empty_chain_changes_nothing() -> None:
    assert torch.equal(empty(3).apply(music(), RATE), music())


def test_width_zero_is_mono_and_drums_keep_their_lows_dry() -> None:
    mono = one_stage("width", width=0.0).apply(music()[:1], RATE)
    assert difference_db(mono[:, 0], mono[:, 1]) < -100
    chain = draw_only(seeded(), 8, ["reverb"], PUBLISHED, "drums")
    low = tone(40, 1.0).expand(8, -1, -1)
    assert difference_db(chain.apply(low, RATE), low) < -20
    assert chain.values[:, PARAMETER_NAMES.index("reverb.low_cut_hz")].min() >= 99.9


def test_the_same_seed_draws_the_same_chain_and_sound() -> None:
    for recipe in (PUBLISHED, VARIED):
        one, two = (draw(seeded(5), 6, "vocals", recipe, chances={"codec": 0.0}) for _ in range(2))
        assert torch.equal(one.values, two.values)
        samples = music(1.0)[torch.arange(6) % 3]
        assert torch.equal(one.apply(samples, RATE), two.apply(samples, RATE))
        other = draw(seeded(6), 6, "vocals", recipe)
        assert not torch.equal(one.values, other.values)


def test_chains_survive_json_to_the_bit() -> None:
    chain = Chain.join([draw(seeded(1), 20, "mix", VARIED), draw_exactly(seeded(2), 20, 8, PUBLISHED)])
    again = Chain.from_json(json.loads(json.dumps(chain.to_json())))
    assert torch.equal(chain.values, again.values)
    assert torch.equal(chain.implementations, again.implementations)
    assert [chain.effects(i) for i in range(40)] == [again.effects(i) for i in range(40)]
    rows = torch.arange(20, 26)
    samples = music(1.0)[torch.arange(6) % 3]
    assert torch.equal(chain.select(rows).apply(samples, RATE), again.select(rows).apply(samples, RATE))


def test_json_of_unknown_effects_is_refused() -> None:
    plain = draw(seeded(), 1, "mix", PUBLISHED).to_json()
    plain[0][0]["implementation"] = "abbey road"
    with pytest.raises(ValueError, match="abbey road"):
        Chain.from_json(plain)


def test_a_selected_chain_stays_the_same_chain() -> None:
    chain = draw(seeded(9), 5, ["drums", "bass", "other", "vocals", "mix"], VARIED, chances={"codec": 0.0})
    samples = music(1.0)[torch.arange(5) % 3]
    whole = chain.apply(samples, RATE)
    picked = chain.select([3, 1])
    assert picked.effects(0) == chain.effects(3)
    assert difference_db(picked.apply(samples[[3, 1]], RATE), whole[[3, 1]]) < -80
    twice = chain.repeat(2)
    assert len(twice) == 10
    assert torch.equal(twice.values[4:6], chain.values[[2, 2]])
    mask = torch.tensor([True, False, False, True, False])
    assert torch.equal(chain.select(mask).values, chain.values[[0, 3]])


def test_targets_lie_between_nought_and_one_and_are_masked() -> None:
    chain = Chain.join([draw(seeded(4), 200, "other", recipe) for recipe in RECIPES.values()])
    shares, active = chain.parameters()
    assert shares.shape == active.shape == (600, len(PARAMETER_NAMES))
    assert 0 <= float(shares.min()) <= float(shares.max()) <= 1
    present = chain.present()
    assert torch.equal(active[:, PARAMETER_NAMES.index("gain.gain_db")], present[:, EFFECTS.index("gain")])
    assert (shares[~active] == 0.5).all()
    # nothing that a recipe draws is cut off by the limits
    for name in EFFECTS:
        for knob, limits in PARAMETERS[name].items():
            column = chain.values[present[:, EFFECTS.index(name)], PARAMETER_NAMES.index(f"{name}.{knob}")]
            assert limits.low - 1e-4 <= column.min(), knob
            assert column.max() <= limits.high * (1 + 1e-6), knob


def test_effects_are_as_frequent_as_the_recipe_says() -> None:
    chain = draw(seeded(), 4000, "drums", PUBLISHED)
    share = chain.present().float().mean(0)
    for effect, measured in zip(EFFECTS, share.tolist(), strict=True):
        assert measured == pytest.approx(PUBLISHED.chance(effect, "drums"), abs=0.03), effect
    bass = draw(seeded(), 4000, "bass", PUBLISHED).present().float().mean(0)
    assert float(bass[EFFECTS.index("reverb")]) < 0.03
    assert bool(chain.present().any(1).all())


def test_scheduled_chances_replace_the_recipes() -> None:
    share = draw(seeded(), 2000, "other", VARIED, chances={"eq": 0.1, "pan": 1.0}).present().float().mean(0)
    assert float(share[EFFECTS.index("eq")]) == pytest.approx(0.1, abs=0.03)
    assert float(share[EFFECTS.index("pan")]) == 1


@pytest.mark.parametrize("k", [1, 2, 4, 8])
def test_exactly_k_effects_all_equally_likely(k: int) -> None:
    chain = draw_exactly(seeded(k), 2000, k, PUBLISHED)
    assert (chain.present().sum(1) == k).all()
    assert (chain.implementations[:, STAGES.index("codec")] == -1).all()
    assert float((chain.present().float().mean(0) - k / 10).abs().max()) < 0.04


def test_groups_keep_their_order_and_shuffle_inside() -> None:
    chain = draw_exactly(seeded(), 300, 10, VARIED)
    orders = [[stage for stage, _ in chain.effects(i)] for i in range(300)]
    assert {tuple(order[4:6]) for order in orders} == {("pan", "width"), ("width", "pan")}
    assert {order[0] for order in orders} == {"eq", "mid_side_eq", "compressor", "expander"}
    assert {tuple(order[6:]) for order in orders} == {("saturation", "reverb", "limiter", "gain")}


def test_only_the_varied_recipes_leave_the_console() -> None:
    chain = draw(seeded(), 100, "mix", PUBLISHED)
    assert {name for i in range(100) for _, name in chain.effects(i)} == {"console"}
    chain = draw_exactly(seeded(), 600, 8, VARIED)
    used = {pair for i in range(600) for pair in chain.effects(i)}
    assert used == {(effect, name) for effect in EFFECTS for name in IMPLEMENTATIONS[effect]}


def test_published_ranges_are_reached() -> None:
    chain = draw_exactly(seeded(), 4000, 10, PUBLISHED)
    for name, low, high in (
        ("eq.low_gain_db", -15, 15),
        ("eq.high_frequency_hz", 5000, 10_000),
        ("compressor.threshold_db", -80, -5),
        ("compressor.ratio", 4, 40),
        ("pan.position", 0, 1),
        ("width.width", 0, 4),
        ("gain.gain_db", -6, 9),
    ):
        column = chain.values[:, PARAMETER_NAMES.index(name)]
        margin = 0.02 * (high - low)
        assert low - 1e-3 <= float(column.min()) < low + margin, name
        assert high - margin < float(column.max()) <= high + 1e-3, name


def test_gentle_chains_change_less_than_published_ones() -> None:
    samples = music(1.0)[torch.arange(24) % 3]
    plain = {"gain": 0.0, "codec": 0.0, "pan": 0.0}
    changes = [
        difference_db(draw(seeded(2), 24, "other", recipe, chances=plain).apply(samples, RATE), samples)
        for recipe in (GENTLE, PUBLISHED)
    ]
    assert changes[0] < changes[1] - 1


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_any_sound_comes_out_finite(recipe: Recipe) -> None:
    frames = RATE // 2
    clipped = (20 * music()[0, :, :frames]).clamp(-1, 1)
    one_sided = music()[1, :, :frames] * torch.tensor([[0.0], [1.0]])
    click = torch.zeros(2, frames)
    click[1, frames // 2] = 1
    samples = torch.stack((torch.zeros(2, frames), clipped, one_sided, click, music()[2, :, :frames] * 1e-7))
    for seed in range(4):
        chain = draw(seeded(seed), 5, "other", recipe, chances={"codec": 0.0})
        output = chain.apply(samples, RATE)
        assert output.isfinite().all()
        assert output[0].abs().max() == 0


def test_wrong_shapes_are_refused() -> None:
    chain = draw(seeded(), 2, "mix", PUBLISHED)
    with pytest.raises(ValueError, match="samples must be"):
        chain.apply(music(), RATE)
    with pytest.raises(ValueError, match="stem"):
        draw(seeded(), 2, ["mix"], PUBLISHED)
    with pytest.raises(ValueError, match="k must be"):
        draw_exactly(seeded(), 2, 11, PUBLISHED)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_chains_sound_alike_on_the_gpu() -> None:
    chain = draw(seeded(), 12, "other", VARIED, chances={"codec": 0.0})
    samples = music()[torch.arange(12) % 3]
    output = chain.apply(samples.cuda(), RATE)
    assert output.is_cuda
    assert difference_db(output.cpu(), chain.apply(samples, RATE)) < -50


def test_no_excerpt_begins_with_a_click() -> None:
    generator = torch.Generator().manual_seed(0)
    sound = 0.1 * torch.randn(8, 2, 4 * RATE, generator=generator)
    chains = draw_only(generator, 8, ("compressor",), PUBLISHED, "other")
    processed = chains.apply(sound, RATE)
    first, rest = processed[..., : RATE // 20].abs().amax((1, 2)), processed[..., RATE:].abs().amax((1, 2))
    assert (20 * torch.log10(first / rest)).max() < 3
