"""Films that a page has had made, kept on disk up to a bounded size."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from brainviz.data.fingerprint import fingerprint_files
from brainviz.workspace import Workspace
from pipelines.interactive.film_sources import label_source

Frames = npt.NDArray[np.uint8]
Fact = int | float | str | bool

SIZE_PX = 256
CACHE_BYTES = 256_000_000
_CACHE_VERSION = 2  # raise it where the same flow gives another film


def cache_file(workspace: Workspace, facts: Mapping[str, Fact]) -> Path:
    """Named by all that the film depends on, so that a film of an older flow, mask or stimulus is never met."""
    place = workspace.place(str(facts["clip"]))
    film = fingerprint_files([("film", workspace.film(place.segment))])
    parts = [facts.get("flow", [facts["subject"], facts["system"]]), *(facts[n] for n in ("clip", "sample", "mask"))]
    parts += [label_source(workspace, place.segment), film, SIZE_PX, _CACHE_VERSION]
    parts += [facts["objects"]] if "objects" in facts else []
    name = hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
    return workspace.path / "cache" / "reanimations" / f"{name}.npz"


def read_film(path: Path) -> tuple[Frames, float, dict[str, Fact]] | None:
    """Frames, frame rate and facts of a kept film; None where there is none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            facts: dict[str, Fact] = json.loads(str(kept["facts"]))
            found = np.asarray(kept["frames"], np.uint8), float(kept["fps"]), facts
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError):  # damaged: made again and written over
        return None
    os.utime(path)
    return found


def keep_film(path: Path, frames: Frames, fps: float, facts: Mapping[str, Fact]) -> None:
    """Keep a film, and remove others where the folder has grown too large."""
    from brainviz.video.writing import replacing

    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, frames=frames, fps=np.float64(fps), facts=np.array(json.dumps(dict(facts))))
    trim(path.parent, keep=path)


def trim(folder: Path, keep: Path, most_bytes: int = CACHE_BYTES) -> None:
    """Remove the films that were not looked at for longest, until the folder is small enough."""
    held = []
    for path in folder.glob("[!.]*"):
        try:
            state = path.stat()
        except FileNotFoundError:  # another server has removed it
            continue
        held.append((state.st_mtime_ns, state.st_size, path))
    excess = sum(size for _, size, _ in held) - most_bytes
    for _, size, path in sorted(held):
        if excess <= 0:
            break
        if path != keep:
            path.unlink(missing_ok=True)
            excess -= size
