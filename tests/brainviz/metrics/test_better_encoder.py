"""An encoder is better in a region only where the difference is clear and it predicts the region."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainviz.metrics.better_encoder import better_encoder


def rows(*entries: tuple[str, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(entries, columns=["region", "difference", "q"])
    return table.assign(subject="1", hemisphere="left", a="motion", b="static")


def predicted(**q: tuple[float, float]) -> pd.DataFrame:
    found = [
        ("1", "left", region, name, p)
        for region, ps in q.items()
        for name, p in zip(["motion", "static"], ps, strict=True)
    ]
    return pd.DataFrame(found, columns=["subject", "hemisphere", "region", "encoder", "q"])


def test_clear_difference_and_a_prediction_are_both_needed() -> None:
    contrasts = rows(
        ("V1", 0.1, 0.01), ("MT", 0.2, 0.01), ("PH", -0.1, 0.001), ("V4", 0.3, 0.2), ("V8", np.nan, np.nan)
    )
    regions = predicted(V1=(0.001, 0.5), MT=(0.5, 0.001), PH=(0.9, 0.04), V4=(0.001, 0.001), V8=(0.001, 0.001))
    np.testing.assert_array_equal(better_encoder(contrasts, regions), [1, 0, -1, 0, 0])


def test_another_subject_or_side_does_not_count() -> None:
    contrasts = rows(("V1", 0.1, 0.01))
    regions = predicted(V1=(0.001, 0.001))
    assert better_encoder(contrasts, regions.assign(subject="2")).tolist() == [0]
    assert better_encoder(contrasts, regions.assign(hemisphere="right")).tolist() == [0]
    assert better_encoder(contrasts, regions, alpha=0.005).tolist() == [0]
