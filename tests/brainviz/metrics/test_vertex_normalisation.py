import numpy as np
import pytest

from brainviz.errors import DataProblem
from brainviz.metrics.normalisation import share_of_ceiling
from brainviz.metrics.reliability import NoiseCeiling


def test_only_vertices_with_certain_signal_are_normalised():
    power = np.array([0.25, 0.25, -0.1, np.nan], np.float32)
    r_max = np.array([0.5, 0.5, 0.0, np.nan], np.float32)
    p = np.array([0.001, 0.2, 0.001, np.nan], np.float32)
    ceiling = NoiseCeiling(power, np.ones(4, np.float32), r_max, p, 4)
    r = np.array([0.4, 0.4, 0.4, 0.4])
    assert share_of_ceiling(r, ceiling) == pytest.approx([0.8, np.nan, np.nan, np.nan], nan_ok=True)
    with pytest.raises(DataProblem, match="vertices"):
        share_of_ceiling(r[:3], ceiling)
