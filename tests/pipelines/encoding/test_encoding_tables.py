import numpy as np
import pytest

from brainviz.cortex.regions import glasser
from brainviz.errors import DataProblem
from brainviz.metrics.block_sums import volume_blocks
from brainviz.metrics.region_means import Regions, glasser_regions, means_of_map
from brainviz.metrics.vertex_tests import assess_encoder, compare_encoders
from pipelines.encoding.tables import chosen_vertices, contrast_rows, encoding_row, region_rows

N = 59_412
BLOCKS = volume_blocks({"test1": 75, "test2": 75, "test3": 75})


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((225, N)).astype(np.float32)
    a = rng.standard_normal((225, N)).astype(np.float32)
    seen = glasser().cortex_vertices("R_V1")
    a[:, seen] += y[:, seen]
    b = rng.standard_normal((225, N)).astype(np.float32)
    chosen = np.zeros(N, bool)
    chosen[seen] = chosen[:100] = True
    regions = glasser_regions(chosen)
    tests = [assess_encoder(each, y, BLOCKS, regions) for each in (a, b)]
    return chosen, tests, compare_encoders(tests[0].sums, tests[1].sums, regions), y, a


def test_the_row_of_an_encoder_is_over_the_chosen_vertices(study):
    chosen, (test, _), _, y, a = study
    row = encoding_row("1", "motion-energy", test, chosen, 0.1).iloc[0]
    centre = [(v.reshape(3, 75, N) - v.reshape(3, 75, N).mean(1, keepdims=True)).reshape(225, N) for v in (a, y)]
    r = np.array([np.corrcoef(centre[0][:, k], centre[1][:, k])[0, 1] for k in np.flatnonzero(chosen)])
    assert row["mean_r"] == pytest.approx(r.mean(), abs=1e-4)
    assert row["median_r"] == pytest.approx(np.median(r), abs=1e-4)
    assert row["low"] < row["mean_r"] < row["high"]
    assert row["n_vertices"] == chosen.sum()
    assert row["n_significant"] == (test.vertices.q[chosen] < 0.05).sum() > 20
    assert (row["subject"], row["encoder"], row["reliability_above"], row["n_blocks"]) == (
        "1",
        "motion-energy",
        0.1,
        15,
    )


def test_regions_stand_in_the_order_of_their_labels(study):
    _, (test, _), _, _, _ = study
    ceiling = np.linspace(0, 1, 360)
    table = region_rows("2", "motion-energy", test, ceiling)
    assert len(table) == 360
    parcellation = glasser()
    for at in (0, 179, 180, 359):
        name = f"{table['hemisphere'][at][0].upper()}_{table['region'][at]}"
        vertices = parcellation.cortex_vertices(name)
        assert parcellation.ids(name) == (at + 1,)
        assert table["n_vertices"][at] == len(vertices)
        assert table["r"][at] == pytest.approx(test.vertices.value[vertices].mean(), abs=1e-5)
    assert table["noise_ceiling"].to_numpy() == pytest.approx(ceiling)
    found = table[table["q"] < 0.05]
    assert list(zip(found["hemisphere"], found["region"], strict=True)) == [("right", "V1")]
    assert (table["low"] <= table["r"]).all() and (table["r"] <= table["high"]).all()


def test_the_contrast_finds_the_region_where_one_encoder_predicts_better(study):
    contrast = study[2]
    table = contrast_rows("1", "motion-energy", "gabor-colour", contrast)
    best = table.loc[table["difference"].idxmax()]
    assert (best["hemisphere"], best["region"]) == ("right", "V1")
    assert best["q"] < 0.05 and best["low"] > 0
    assert (table["q"] < 0.05).sum() <= 3
    assert set(table["a"]) == {"motion-energy"} and set(table["b"]) == {"gabor-colour"}


def test_vertices_are_chosen_above_the_bound_and_never_without_a_reliability():
    assert chosen_vertices(np.array([0.2, 0.1, np.nan, -0.5]), 0.1).tolist() == [True, False, False, False]


def test_other_parcellations_are_refused(study):
    tests = study[1]
    few = compare_encoders(tests[0].sums, tests[1].sums, Regions.of(np.zeros(N), 1))
    with pytest.raises(DataProblem, match="360"):
        contrast_rows("1", "a", "b", few)


def test_means_of_a_map_pass_over_missing_vertices():
    mean, count = means_of_map(
        np.array([1, np.nan, 3, 5.0]), Regions.of([0, 0, 1, -1], 2, np.array([1, 1, 0, 1], bool))
    )
    assert mean.tolist() == [1, 3, 3]
    assert count.tolist() == [1, 1, 2]
