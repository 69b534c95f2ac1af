"""What corrections are worth: signs, pairing and correction of p on planted scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainviz.errors import BrainvizError
from pipelines.evaluate.corrections import worth_of_corrections

N = 240


def clips() -> pd.DataFrame:
    names = [f"test1-{i:04d}" for i in range(N)]
    return pd.DataFrame(
        {"clip": names, "segment": "test1", "onset_s": 2.0 * np.arange(N), "duration_s": 2.0, "shot": np.arange(N) // 4}
    )


def scores(epe: float, ssim: float, seed: int, without: str = "") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    own = np.random.default_rng(0).standard_normal(N)  # a clip is as hard for every form
    parts = [
        pd.DataFrame({"clip": clips()["clip"], "metric": name, "value": level + own + 0.1 * rng.standard_normal(N)})
        for name, level in (("epe", epe), ("ssim", ssim))
        if name != without
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_gain_is_above_zero_whichever_way_the_metric_runs() -> None:
    forms = {"whole": scores(1.0, 0.5, 1), "worse": scores(1.2, 0.4, 2), "same": scores(1.0, 0.5, 3)}
    table = worth_of_corrections("1", forms, "whole", clips()).set_index(["form", "metric"])
    worse, same = table.loc[("worse", "epe")], table.loc[("same", "ssim")]
    assert worse["gain"] == pytest.approx(0.2, abs=0.03) and worse["mean_undone"] > worse["mean_whole"]
    assert table.loc[("worse", "ssim"), "gain"] == pytest.approx(0.1, abs=0.03)
    assert worse["low"] > 0 and worse["p_holm"] < 0.01 and worse["enough_blocks"] == (worse["n_blocks"] >= 20)
    assert same["low"] < 0 < same["high"] and same["p_holm"] > 0.05
    assert (table["p_holm"] >= table["p"]).all() and (table["n"] == N).all()


def test_a_metric_that_a_form_lacks_is_compared_among_the_others() -> None:
    forms = {"whole": scores(1.0, 0.5, 1), "worse": scores(1.2, 0.4, 2, without="ssim"), "same": scores(1.0, 0.5, 3)}
    table = worth_of_corrections("1", forms, "whole", clips())
    assert set(table.loc[table["metric"] == "ssim", "form"]) == {"same"}


def test_without_the_whole_form_or_shared_clips_it_refuses() -> None:
    with pytest.raises(BrainvizError, match="no scores of the form"):
        worth_of_corrections("1", {"worse": scores(1, 1, 1)}, "whole", clips())
    other = scores(1, 1, 1).assign(clip="test2-0000")
    with pytest.raises(BrainvizError, match="no scored clip"):
        worth_of_corrections("1", {"whole": scores(1, 1, 1), "other": other}, "whole", clips())
