"""Our metrics against arrays that other programs computed (found through BRAINVIZ_GOLDEN)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainviz.flow.errors import end_point_error


def test_end_point_error_of_farneback_flow(golden: Path) -> None:
    with np.load(golden / "mind_animator" / "video_metrics.npz", allow_pickle=False) as arrays:
        truth, predicted, expected = (arrays[name] for name in ("flow_gt", "flow_pred", "epe_per_video"))
    # The third video of the file has an error but no stored flow.
    assert end_point_error(truth, predicted) == pytest.approx(expected[: len(truth)], rel=1e-4)
