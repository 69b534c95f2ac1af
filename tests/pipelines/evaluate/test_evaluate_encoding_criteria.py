import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from brainviz.cortex.surface import N_CORTEX, cortex_to_full
from brainviz.errors import BrainvizError, DataProblem
from pipelines.evaluate.encoding_criteria import area_under_roc, clearly_driven, encoding_criteria

PAIR = {"a": "motion-energy", "b": "gabor-colour"}


def truth(world_moves: bool = True) -> dict[str, np.ndarray]:
    share = np.zeros((N_CORTEX, 4), np.float32)
    share[:100] = [0.12, 0.50, 0.05, 0.33]
    share[100:200] = [0.60, 0.07, 0.00, 0.33]
    share[200:300] = [0.40, 0.27, 0.00, 0.33]
    responsive = np.arange(N_CORTEX) < 300
    return {
        "share": share,
        "responsive": responsive & world_moves,
        "drive_names": np.array(["static", "motion", "self", "unseen"]),
    }


def contrast_map(overlap: int = 0) -> np.ndarray:
    values = np.zeros(N_CORTEX, np.float32)
    values[:100] = 0.2
    values[100:200] = -0.1
    values[:overlap] = -0.2
    return values


def contrasts(q: float = 0.5, difference: float = 0.1, self_motion: float = 0.1, subject: str = "1") -> pd.DataFrame:
    rows = [
        {"hemisphere": side, "region": region, "difference": self_motion * (2 if side == "left" else -1), "q": 0.5}
        for region in ("5m", "5mv", "23c")
        for side in ("left", "right")
    ]
    rows.append({"hemisphere": "left", "region": "MT", "difference": difference, "q": q})
    other = {"hemisphere": "left", "region": "MT", "difference": 9.0, "q": 0.0, "a": "gabor-colour", "b": "x"}
    return pd.DataFrame([row | PAIR for row in rows] + [other]).assign(subject=subject, n_vertices=50)


def regions(q: float = 0.5) -> pd.DataFrame:
    place = {"hemisphere": ["left"], "region": ["MT"]}
    return pd.DataFrame({"subject": ["1"], **place, "encoder": ["motion-energy"], "q": [q]})


def failed(table: pd.DataFrame) -> list[str]:
    return table.loc[~table["passed"], "criterion"].tolist()


def test_the_area_under_the_curve_is_scikit_learns():
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.3
    values = np.round(rng.standard_normal(200) + positive, 1)
    assert area_under_roc(values, positive) == pytest.approx(roc_auc_score(positive, values))
    values[:20] = np.nan
    assert area_under_roc(values, positive) == pytest.approx(roc_auc_score(positive[20:], values[20:]))
    assert np.isnan(area_under_roc(values, np.zeros(200, bool)))


def test_vertices_count_where_one_drive_clearly_leads():
    assert np.flatnonzero(clearly_driven(truth(), "motion")).tolist() == list(range(100))
    assert np.flatnonzero(clearly_driven(truth(), "static")).tolist() == list(range(100, 200))
    assert not clearly_driven(truth(False), "motion").any()


def test_a_good_subject_passes_in_either_order_of_vertices():
    for values in (contrast_map(), cortex_to_full(contrast_map())):
        table = encoding_criteria(contrasts(), regions(), {"1": values}, {"1": truth()})
        assert table["passed"].all()
        assert table["value"].tolist() == pytest.approx([0.05, 0.05, 0.05, 1.0])


def test_each_bound_fails_alone():
    few = encoding_criteria(contrasts(), regions(), {"1": contrast_map(16)}, {"1": truth()})
    assert failed(few) == ["area under ROC, motion against static"]
    away = encoding_criteria(contrasts(self_motion=-0.1), regions(), {"1": contrast_map()}, {"1": truth()})
    assert failed(away) == ["contrast in 5m", "contrast in 5mv", "contrast in 23c"]


def test_the_area_is_over_all_subjects_vertices():
    tables = pd.concat([contrasts(), contrasts(subject="2")])
    both = {"1": contrast_map(), "2": contrast_map(40)}
    table = encoding_criteria(tables, regions(), both, {"1": truth(), "2": truth()})
    area = table[table["subject"] == "all"]
    assert area["value"].tolist() == pytest.approx([1 - 40 / 200]) and not area["passed"].any()
    assert encoding_criteria(tables, regions(), both, {"1": truth()})["value"].isna().sum() == 1


def test_what_is_missing_is_not_passed():
    table = encoding_criteria(contrasts().iloc[-1:], regions(), {}, {})
    assert len(failed(table)) == 4 and table["value"].isna().all()
    empty = encoding_criteria(contrasts(q=np.nan).iloc[-2:], regions(), {}, {}, "noise")
    assert "regions where the encoders differ, q < 0.05" in failed(empty)


def test_in_the_static_world_only_motion_must_not_win():
    def check(predicted: float = 0.01, **changed: float) -> pd.DataFrame:
        return encoding_criteria(contrasts(**changed), regions(predicted), {}, {}, "static")

    assert check()["passed"].all()
    assert check(q=0.01, difference=-0.1)["passed"].all()
    assert not check(q=0.01, difference=0.1)["passed"].any()
    assert check(q=0.01, difference=0.1, predicted=0.5)["passed"].all(), "it predicts nothing there"


def test_in_the_noise_world_nothing_must_be_found():
    assert encoding_criteria(contrasts(), regions(), {}, {}, "noise")["passed"].all()
    assert len(failed(encoding_criteria(contrasts(q=0.01, difference=-0.1), regions(), {}, {}, "noise"))) == 1
    assert len(failed(encoding_criteria(contrasts(), regions(0.01), {}, {}, "noise"))) == 1


def test_unusable_input_is_refused():
    with pytest.raises(BrainvizError, match="no subject"):
        encoding_criteria(contrasts().iloc[:0], regions(), {}, {})
    with pytest.raises(DataProblem, match="vertices"):
        encoding_criteria(contrasts(), regions(), {"1": np.zeros(7)}, {"1": truth()})
