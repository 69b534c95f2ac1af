"""Schedules and augmentation against the original program's numbers."""

from __future__ import annotations

import random

import numpy as np
import pytest
from mind_animator_arrays import arrays

from pipelines.mind_animator import schedules
from pipelines.mind_animator.augmentation import SEMANTIC_RATES, STRUCTURE_RATES, sparsified, swapped, thinned


def test_schedules(golden):
    held = arrays(golden, "schedules")
    noam = [schedules.noam_rate(step, 16384) for step in range(1, 401)]
    assert np.allclose(noam, held["noam_lr_steps1to400"], rtol=1e-9)
    motion = schedules.decayed(schedules.MOTION_L1, schedules.MOTION_L1_RATE, 301)
    structure = schedules.decayed(schedules.STRUCTURE_L1, schedules.STRUCTURE_L1_RATE, 401)
    assert np.allclose(motion, held["cmg_l1_weight_epochs0to300"], rtol=1e-9)
    assert np.allclose(structure, held["structure_l1_weight_epochs0to400"], rtol=1e-9)
    for name, start in (("semantic", schedules.SEMANTIC_LR), ("structure", schedules.STRUCTURE_LR)):
        expected = next(held[key] for key in held if key.startswith(f"{name}_lr"))
        made = [schedules.exponential_rate(start, epoch) for epoch in range(len(expected))]
        assert np.allclose(made, expected, rtol=1e-9)


def test_zeros_are_written_through_the_view_as_released(golden):
    held = arrays(golden, "data_aug")
    data = held["x_before"].copy()
    rates = (float(held["rate1"]), float(held["rate2"]))
    sparsified(data[:10], rates, np.random.RandomState(int(held["np_seed"])), in_place=True)
    assert (data == held["x_after"]).all()
    kept = held["x_before"].copy()
    made = sparsified(kept[:10], rates, np.random.RandomState(int(held["np_seed"])))
    assert (made == held["x_after"][:10]).all() and (kept == held["x_before"]).all()


@pytest.mark.parametrize(("part", "rates"), [("semantic", SEMANTIC_RATES), ("structure", STRUCTURE_RATES)])
def test_what_is_left_of_the_fmri(golden, part, rates):
    expected = arrays(golden, "data_aug")[f"nonzero_fraction_{part}"]
    data, draws, left = np.ones((400, 300)), np.random.RandomState(0), []
    for _ in expected:
        sparsified(data, rates, draws, in_place=True)
        left.append(data.mean())
    assert np.allclose(left, expected, atol=0.003)
    fresh = [sparsified(np.ones((400, 300)), rates, draws).mean() for _ in range(5)]
    assert np.allclose(fresh, 1 - rates[0] * rates[1])


def test_caption_augmentation(golden):
    held, draws = arrays(golden, "data_aug"), random.Random(8)
    assert [swapped(range(10), 2, draws) for _ in range(5)] == held["swap_pyseed8"].tolist()
    thin = [thinned(range(10), 0.2, draws) for _ in range(5)]
    assert [len(words) for words in thin] == held["deletion_lengths"].tolist()
    assert [word for words in thin for word in words] == held["deletion_flat"].tolist()
    assert thinned(["one"], 1.0, draws) == ["one"] and len(thinned(range(9), 1.0, draws)) == 1
