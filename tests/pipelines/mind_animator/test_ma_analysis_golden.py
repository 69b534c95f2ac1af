"""Vertex choice, weight products and shuffle test against the original program's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from mind_animator_arrays import arrays

from brainviz.errors import DataProblem
from pipelines.mind_animator.projection import haufe_pattern, min_max, weight_product
from pipelines.mind_animator.shuffle_test import random_orders, shuffle_test, step_errors
from pipelines.mind_animator.voxels import agreement, cleaned, run_agreement, scaled_on_itself


def test_vertex_choice(golden):
    held = arrays(golden, "voxel_selection")
    first, second = ([cleaned(run) for run in held[f"session{number}_raw"]] for number in (1, 2))
    assert np.allclose(first, held["session1_z"], atol=1e-5)
    fisher_z = np.stack([run_agreement(a, b) for a, b in zip(first, second, strict=True)])
    assert np.allclose(fisher_z, held["fisher_z"], atol=1e-6)
    found = agreement(fisher_z)
    assert np.allclose(found.t, held["t"], rtol=1e-4) and np.allclose(found.p, held["p"], rtol=1e-3)
    assert np.allclose(agreement(held["fisher_z"]).p_bonferroni, held["p_bonferroni"], rtol=1e-9)
    assert (np.isin(np.arange(60), found.chosen(20)) == held["mask_top20"].astype(bool)).all()


def test_vertices_that_never_vary_are_not_chosen():
    rng = np.random.default_rng(0)
    runs = rng.standard_normal((4, 2, 50, 6))
    runs[..., 2] = 0
    found = agreement(np.stack([run_agreement(a, b) for a, b in runs]))
    assert found.chosen(6).tolist() == [0, 1, 3, 4, 5]
    with pytest.raises(DataProblem):
        agreement(found.fisher_z[:1])


def test_scaling_the_test_set_on_itself_depends_on_the_other_clips():
    fmri = np.random.default_rng(0).standard_normal((9, 4))
    assert not np.allclose(scaled_on_itself(fmri)[0], scaled_on_itself(fmri[:5])[0])


@pytest.mark.parametrize(
    ("part", "layers", "answer"),
    [
        ("semantic", ["Lin0_par", "MLP1", "MLP2", "MLP3", "Lin1_1", "Lin1_2", "Lin1_3"], "Semantic"),
        ("cmg", ["lin0", "mlp", "lin1"], "Content"),
        ("structure", ["Lin0_par"], "Content"),
    ],
)
def test_weight_products(golden, part, layers, answer):
    held = arrays(golden, "weight_projection")
    found = weight_product([held[f"{part}/{layer}"] for layer in layers])
    assert np.allclose(found, held[f"{part}/{answer}"], rtol=1e-9)
    assert np.allclose(min_max(found), held[f"{part}/normalized_array"], atol=1e-9)


def test_haufe_pattern_finds_the_signal_where_the_weights_point_at_the_noise():
    rng = np.random.default_rng(1)
    signal, noise = rng.standard_normal((2, 4000))
    fmri = np.stack([signal + noise, noise], axis=1)
    weights = np.array([[1.0], [-1.0]])  # the second vertex only cancels noise
    pattern = haufe_pattern(fmri, fmri @ weights)
    assert np.allclose(pattern[:, 0], [1, 0], atol=0.06)


@pytest.mark.parametrize("name", ["shuffle_test", "shuffle_test_noise"])
def test_shuffling_frames(golden, name):
    held = arrays(golden, name)
    errors = step_errors(held["gt_gray"], held["pred_gray"])
    orders = random_orders(500, 8, np.random.RandomState(2024))
    assert (orders == held["permutations"]).all()
    found = shuffle_test(errors, orders)
    assert np.allclose(found.per_clip, held["epe_unshuffled_per_clip"], rtol=1e-4)
    assert np.allclose(found.shuffled[400:], held["epe_shuffled_round5"], rtol=1e-4)
    assert (found.counts_per_round() == held["P_counts_per_round"]).all()
    assert (found.p < 0.01) == (name == "shuffle_test")


def test_a_smooth_film_of_something_else_passes_the_shuffle_test():
    """The known fault of the test: a slow drift at right angles beats its own shuffles, but not the frozen film."""
    rng = np.random.default_rng(0)
    wide = (np.kron(rng.random((2, 12, 24)), np.ones((4, 4))) * 255).astype(np.uint8)
    right = np.stack([np.stack([w[:40, 8 + t : 48 + t] for t in range(8)]) for w in wide])
    down = right.swapaxes(2, 3)
    found = shuffle_test(step_errors(right, down), random_orders(99, 8, np.random.RandomState(0)))
    assert found.p <= 0.02 and found.observed > 1.2 * found.frozen
    own = shuffle_test(step_errors(right, right), random_orders(9, 8, np.random.RandomState(0)))
    assert own.observed < 1e-6 and own.reversed > 1.5 * own.frozen
