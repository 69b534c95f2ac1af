"""The same surface as a pycortex subject: publication figures through quickflat, and its WebGL viewer as a folder.

pycortex writes settings when imported and draws with matplotlib's global state, so it runs in a process of its own with
a private store: nothing of the visitor's own pycortex is read or changed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from brainviz.cortex.exports.shown import Shown
from brainviz.errors import BrainvizError, NotReady

SUBJECT = "fsLR32k"
WORKER = Path(__file__).with_name("pycortex_worker.py")
LONGEST_S = 300


def missing() -> str:
    """What keeps pycortex from being used here; empty when it can be."""
    if importlib.util.find_spec("cortex") is None:
        return "The package pycortex is not installed: pip install pycortex==1.4.0."
    return ""


def quickflat_figure(shown: Shown, height: int = 1024) -> bytes:
    """The map as pycortex draws it (PNG, with colour bar), region outlines and names by us (no Inkscape needed).

    Raises
    ------
    NotReady
        pycortex is not there.
    BrainvizError
        pycortex failed; `where` holds its last words.
    """
    with tempfile.TemporaryDirectory(prefix="brainviz-pycortex-") as folder:
        target = Path(folder) / "figure.png"
        _run(shown, Path(folder), {"what": "figure", "target": str(target), "height": height})
        return target.read_bytes()


def webgl_viewer(shown: Shown, folder: Path) -> Path:
    """Write pycortex's viewer as a folder that opens in a browser (about 4 MB); returns its ``index.html``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="brainviz-pycortex-") as work:
        _run(shown, Path(work), {"what": "viewer", "target": str(folder.resolve())})
    return folder / "index.html"


def _run(shown: Shown, work: Path, order: dict[str, Any]) -> None:
    reason = missing()
    if reason:
        raise NotReady("This export needs pycortex.", "", reason)
    low, high = shown.scale
    order |= {"title": shown.title, "words": shown.words(), "low": low, "high": high, "settings": shown.settings()}
    order |= {"subject": SUBJECT, "unit": shown.unit}
    kept = np.nan_to_num(shown.kept().astype(np.float32))
    np.savez(work / "map.npz", values=shown.full, kept=kept, table=shown.table)
    (work / "order.json").write_text(json.dumps(order))
    environment = {
        **os.environ,
        "XDG_CONFIG_HOME": str(work / "config"),
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": str(work),
    }
    command = [sys.executable, "-W", "ignore", str(WORKER), str(work)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=LONGEST_S, check=False, cwd=_root()
        )
    except subprocess.TimeoutExpired as error:
        raise BrainvizError(f"pycortex did not finish within {LONGEST_S} s.", "", "Try again.") from error
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-3:])
        raise BrainvizError("pycortex could not draw this map.", last, "The other exports do not need it.")


def _root() -> Path:
    return Path(__file__).resolve().parents[3]
