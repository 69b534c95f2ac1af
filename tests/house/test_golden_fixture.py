"""The fixture that finds golden arrays: unset is skipped, set but missing fails, never the other way round."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"


def run_with(setting: str | None, tmp_path: Path) -> str:
    """Last line of a pytest run of one test that needs the fixture."""
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_needs_golden.py").write_text("def test_it(golden):\n    assert golden.is_dir()\n")
    environment = {name: value for name, value in os.environ.items() if name != "BRAINVIZ_GOLDEN"}
    if setting is not None:
        environment["BRAINVIZ_GOLDEN"] = setting
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(tmp_path),
        "--rootdir",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(("setting", "expected"), [(None, "1 skipped"), ("", "1 skipped"), ("missing", "1 error")])
def test_without_golden_arrays(setting, expected, tmp_path):
    where = str(tmp_path / setting) if setting else setting
    assert expected in run_with(where, tmp_path)


def test_with_golden_arrays(tmp_path):
    (tmp_path / "arrays").mkdir()
    assert "1 passed" in run_with(str(tmp_path / "arrays"), tmp_path)
