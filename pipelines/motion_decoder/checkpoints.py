"""Checkpoints: safetensors for arrays, config.json for the rest, each written atomically, config.json last."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainviz.errors import BrainvizError, NotReady

FORMAT = "brainviz-motion-decoder"
VERSION = 2
_REMEDY = "Delete the folder and train the decoder again."

Tensors = dict[str, NDArray[Any]]


def write_atomically(path: Path, content: bytes) -> None:
    """A reader sees the old file or the new one, never half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def save_checkpoint(folder: Path, system: str, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write `tensors` and JSON-ready `facts` of one trained system into `folder`."""
    from safetensors.numpy import save

    folder.mkdir(parents=True, exist_ok=True)
    ready = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    write_atomically(folder / "model.safetensors", save(ready))
    described = {name: [list(value.shape), str(value.dtype)] for name, value in ready.items()}
    config = {"format": FORMAT, "version": VERSION, "system": system, "tensors": described, "facts": dict(facts)}
    write_atomically(folder / "config.json", json.dumps(config, indent=1, sort_keys=True).encode())


def load_checkpoint(folder: Path) -> tuple[str, Tensors, dict[str, Any]]:
    """The (system, tensors, facts) of a folder written by `save_checkpoint`.

    Raises
    ------
    NotReady
        Where no finished checkpoint is.
    BrainvizError
        For one that is damaged, foreign, or of another version.
    """
    config = _read_config(folder)
    tensors = read_tensors(folder / "model.safetensors")
    found = {name: [list(value.shape), str(value.dtype)] for name, value in tensors.items()}
    if found != config["tensors"]:
        raise BrainvizError("The decoder's weights do not belong to its config.json.", str(folder), _REMEDY)
    return config["system"], tensors, config["facts"]


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise NotReady("No trained decoder is here.", str(folder), "Train it first.")
    try:
        config = json.loads(path.read_text())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BrainvizError("The decoder's config.json cannot be read.", str(path), _REMEDY) from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise BrainvizError("This is not a brainviz motion decoder.", str(path), "Point at another folder.")
    if config.get("version") != VERSION:
        raise BrainvizError(
            f"The decoder has format version {config.get('version')}, not {VERSION}.", str(path), _REMEDY
        )
    if not all(
        isinstance(config.get(key), kind) for key, kind in (("system", str), ("tensors", dict), ("facts", dict))
    ):
        raise BrainvizError("The decoder's config.json lacks entries.", str(path), _REMEDY)
    return config


def read_tensors(path: Path) -> Tensors:
    """Arrays of a safetensors file; never unpickles."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        raise BrainvizError("The decoder's weights are missing.", str(path), _REMEDY)
    try:
        return load_file(path)
    except (SafetensorError, ValueError, OSError, KeyError) as error:
        raise BrainvizError("The decoder's weights are damaged.", str(path), _REMEDY) from error
