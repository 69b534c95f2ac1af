"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden() -> Path:
    """Folder of golden arrays, from BRAINVIZ_GOLDEN. Unset: the test is skipped. Set but missing: it fails."""
    named = os.environ.get("BRAINVIZ_GOLDEN", "")
    if not named:
        pytest.skip("BRAINVIZ_GOLDEN is not set, so there are no golden arrays to compare with")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"BRAINVIZ_GOLDEN points to {folder}, which is not a folder", pytrace=False)
    return folder
