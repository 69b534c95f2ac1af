import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import r2_score

from brainviz.errors import DataProblem
from brainviz.metrics.block_sums import sum_blocks, volume_blocks

FILMS = {"test1": 37, "test2": 50}


def centred(values: np.ndarray) -> np.ndarray:
    return np.concatenate([part - part.mean(0) for part in (values[:37], values[37:])])


@pytest.fixture
def courses() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.standard_normal((87, 5))
    p = 0.4 * y + rng.standard_normal((87, 5)) + np.repeat([3.0, -2.0], [37, 50])[:, None]
    return p.astype(np.float32), y.astype(np.float32)


def test_films_are_cut_into_nearly_equal_whole_blocks():
    blocks = volume_blocks(FILMS, 15)
    assert blocks.length.tolist() == [19, 18, 17, 17, 16]
    assert blocks.film.tolist() == [0, 0, 1, 1, 1]
    assert blocks.start.tolist() == [0, 19, 37, 54, 71]
    assert blocks.n_volumes == 87
    assert blocks.film_rows(1) == slice(37, 87)


def test_a_film_shorter_than_a_block_is_one_block():
    assert volume_blocks({"a": 9, "b": 40}, 15).length.tolist() == [9, 20, 20]


def test_labels_of_shots_set_the_borders_of_their_film():
    blocks = volume_blocks({"a": 6, "b": 30}, 15, {"a": np.array([4, 4, 4, 4, 9, 9])})
    assert blocks.length.tolist() == [4, 2, 15, 15]


@pytest.mark.parametrize("volumes", [{}, {"a": 0}])
def test_no_volumes_are_refused(volumes):
    with pytest.raises(DataProblem):
        volume_blocks(volumes)


def test_labels_of_another_length_are_refused():
    with pytest.raises(DataProblem, match="labels"):
        volume_blocks({"a": 30}, 15, {"a": np.zeros(29)})


def test_r_and_explained_variance_are_those_within_films(courses):
    p, y = courses
    sums = sum_blocks(p, y, volume_blocks(FILMS))
    assert sums.r == pytest.approx(
        [pearsonr(a, b)[0] for a, b in zip(centred(p).T, centred(y).T, strict=True)], abs=1e-5
    )
    expected = [r2_score(b, a) for a, b in zip(centred(p).T, centred(y).T, strict=True)]
    assert sums.r2 == pytest.approx(expected, abs=1e-5)


def test_constant_or_missing_time_courses_give_nan_to_their_vertex_alone(courses):
    p, y = courses
    p[:, 1] = 0.1
    y[3, 2] = np.nan
    sums = sum_blocks(p, y, volume_blocks(FILMS))
    assert np.isnan(sums.r).tolist() == [False, True, True, False, False]
    assert np.isnan(sums.yy).any(0).tolist() == [False, False, True, False, False]


def test_vertices_are_read_in_blocks(courses, monkeypatch):
    p, y = courses
    whole = sum_blocks(p, y, volume_blocks(FILMS))
    monkeypatch.setattr("brainviz.metrics.block_sums.chunks.__defaults__", (2,))
    parts = sum_blocks(p, y, volume_blocks(FILMS))
    for name in ("pp", "py", "yy"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=1e-4)


def test_shapes_that_do_not_go_together_are_refused(courses):
    p, y = courses
    with pytest.raises(DataProblem, match="differ in shape"):
        sum_blocks(p[:, :4], y, volume_blocks(FILMS))
    with pytest.raises(DataProblem, match="volumes"):
        sum_blocks(p, y, volume_blocks({"test1": 37}))
