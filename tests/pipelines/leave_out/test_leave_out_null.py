"""Random patches, and what is larger than theirs."""

from __future__ import annotations

import numpy as np
import pytest

from brainviz.cortex import load_surface
from brainviz.cortex.regions import glasser
from brainviz.cortex.surface import N_HEMISPHERE
from brainviz.metrics.corrections import benjamini_hochberg
from pipelines.leave_out.null import against_patches
from pipelines.leave_out.patches import MOST_SHARED, Used, random_patches


@pytest.fixture(scope="module")
def used() -> Used:
    surface = load_surface()
    areas = ("V1", "V2", "V3", "V4", "MT", "MST", "V3A", "LO1", "LO2", "PH", "FST")
    vertices = np.sort(np.concatenate([glasser().vertices(area) for area in areas])).astype(np.int64)
    y = surface.midthickness[vertices, 1]
    return Used(vertices, (0.5 - 0.003 * (y - y.min())).astype(np.float32), surface.faces)


def test_patches_have_size_sides_and_reliability_of_their_templates(used: Used) -> None:
    template = np.flatnonzero(np.isin(used.vertices, glasser().vertices("MT")))
    patches = random_patches(used, [template], 20, np.random.default_rng(0))
    left = (used.vertices[template] < N_HEMISPHERE).sum()
    assert len(patches) == 20
    assert {tuple(patch) for patch in patches} != {tuple(patches[0])}
    for patch in patches:
        assert len(patch) == len(np.unique(patch)) == len(template)
        assert (used.vertices[patch] < N_HEMISPHERE).sum() == left
        assert len(np.intersect1d(patch, template)) <= MOST_SHARED * len(template)
    spread = used.reliability.std()
    means = np.array([used.reliability[patch].mean() for patch in patches])
    assert np.abs(means - used.reliability[template].mean()).mean() < spread / 2


def test_patches_are_contiguous(used: Used) -> None:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    template = np.flatnonzero(np.isin(used.vertices, glasser().vertices("V3A")))
    edges = np.concatenate([used.faces[:, [0, 1]], used.faces[:, [1, 2]], used.faces[:, [2, 0]]])
    for patch in random_patches(used, [template], 5, np.random.default_rng(1)):
        for low, high in ((0, N_HEMISPHERE), (N_HEMISPHERE, 2 * N_HEMISPHERE)):
            mine = used.vertices[patch]
            mine = mine[(mine >= low) & (mine < high)]
            inside = np.isin(edges, mine).all(1)
            where = np.searchsorted(mine, edges[inside])
            graph = coo_matrix((np.ones(len(where)), (where[:, 0], where[:, 1])), shape=(len(mine), len(mine)))
            count, label = connected_components(graph, directed=False)
            # Holes of vertices that are not used may split a patch; most of it stays in one piece.
            assert np.bincount(label).max() > 0.7 * len(mine), count


def grown(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Values that grow with size and reliability, and so does their spread."""
    places = np.column_stack([generator.uniform(0, 6, n), generator.uniform(0.2, 0.5, n)])
    return np.exp(0.5 * places[:, 0]) * places[:, 1] * (1 + 0.4 * generator.normal(size=n)), places


def test_p_is_uniform_whatever_the_size() -> None:
    generator = np.random.default_rng(0)
    small, large = [], []
    for _ in range(12):
        patches, patch_places = grown(generator, 200)
        regions, places = grown(generator, 60)
        p = against_patches(regions, places, patches, patch_places).p
        small.append(p[places[:, 0] < 3])
        large.append(p[places[:, 0] >= 3])
    for p in (np.concatenate(small), np.concatenate(large)):
        assert 0.02 < (p < 0.05).mean() < 0.09
        assert 0.42 < (p < 0.5).mean() < 0.58


def test_a_region_far_above_patches_of_its_size_is_found() -> None:
    generator = np.random.default_rng(1)
    patches, patch_places = grown(generator, 200)
    regions, places = grown(generator, 50)
    regions[0] = 4 * np.exp(0.5 * places[0, 0]) * places[0, 1]
    found = against_patches(regions, places, patches, patch_places)
    q = benjamini_hochberg(found.p)
    assert q[0] < 0.01
    assert found.z[0] > 4
    assert (q[1:] < 0.05).sum() <= 2


def test_too_few_patches_say_nothing() -> None:
    patches, places = grown(np.random.default_rng(0), 20)
    assert np.isnan(against_patches(patches, places, patches, places).p).all()
