"""Scans as nibabel writes and reads them."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainviz.data.cifti import read_cortex, read_header
from support.tiny_cc2017 import N_CORTEX, N_GRAYORDINATES, standard_axis, write_scan, write_with_nibabel


@pytest.mark.parametrize("kind", [np.int16, np.float32, np.float64])
def test_cortex_is_what_nibabel_reads(tmp_path: Path, kind: type) -> None:
    values = np.random.default_rng(0).integers(-3000, 3000, (6, N_GRAYORDINATES)).astype(kind)
    path = write_with_nibabel(tmp_path / "a.dtseries.nii", values, standard_axis())
    ours = read_cortex(path)
    assert ours.dtype == np.float32 and ours.shape == (6, N_CORTEX)
    np.testing.assert_allclose(ours, nib.load(path).get_fdata()[:, :N_CORTEX], rtol=1e-6)
    np.testing.assert_array_equal(read_cortex(path, slice(2, 6)), ours[2:])
    header = read_header(path)
    assert (header.n_volumes, header.tr_s) == (6, 2.0)


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    stored = np.random.default_rng(1).integers(-3000, 3000, (5, N_CORTEX)).astype(np.int16)
    path = write_scan(tmp_path / "a.dtseries.nii", stored, tr_s=0.72, slope=0.5, inter=10_000.0)
    image = nib.load(path)
    np.testing.assert_allclose(image.get_fdata()[:, :N_CORTEX], stored * 0.5 + 10_000)
    np.testing.assert_allclose(read_cortex(path), image.get_fdata()[:, :N_CORTEX])
    assert image.header.get_axis(0).step == read_header(path).tr_s == 0.72
    assert image.header.get_axis(1) == standard_axis()


def test_cortex_order_is_that_of_the_surface() -> None:
    """The rows of a file and the vertices of brainviz.cortex are the same, in the same order."""
    from brainviz.cortex import load_surface

    axis = standard_axis()[:N_CORTEX]
    right = axis.name == "CIFTI_STRUCTURE_CORTEX_RIGHT"
    np.testing.assert_array_equal(axis.vertex + right * 32_492, load_surface().cortex)
