"""Fixtures for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


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


@pytest.fixture(scope="session")
def tiny_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished workspace of the tiny simulated data set, one subject, made once through the command line."""
    workspace = tmp_path_factory.mktemp("tiny") / "workspace"
    options = ["--demo", "--size", "tiny", "--subjects", "1", "--workers", "2", "--workspace", str(workspace)]
    command = [sys.executable, "-m", "pipelines", "run", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return workspace
