"""Files of trained and of unfinished parts: safetensors for arrays, JSON for the rest, written atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from brainviz.errors import BrainvizError, NotReady
from pipelines.motion_decoder.checkpoints import write_atomically

FORMAT = "brainviz-mind-animator"
VERSION = 1
_REMEDY = "Delete it and train again."


def save_state(path: Path, fingerprint: str, state: Any) -> None:
    """Keep an unfinished training (`training._State`)."""
    from safetensors.torch import save

    tensors = {f"network.{name}": value for name, value in state.network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in state.best.items()}
    tensors |= {f"adam.{name}": value for name, value in state.optimizer.state.items()}
    numbers = {name: getattr(state, name) for name in ("best_loss", "best_epoch", "epoch", "step")}
    path.parent.mkdir(parents=True, exist_ok=True)
    ready = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_atomically(path, save(ready, {"fingerprint": fingerprint, "numbers": json.dumps(numbers)}))


def load_state(path: Path, fingerprint: str, state: Any) -> bool:
    """Go on from what `save_state` kept for the same inputs; anything else is removed. True where there was one."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return False
    try:
        with safe_open(path, framework="pt") as stream:
            facts = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError):
        facts, tensors = {}, {}
    if facts.get("fingerprint") != fingerprint:
        path.unlink(missing_ok=True)
        return False
    state.network.load_state_dict(_under("network.", tensors))
    state.best = _under("best.", tensors)
    state.optimizer.restore(_under("adam.", tensors))
    for name, number in json.loads(facts["numbers"]).items():
        setattr(state, name, number)
    return True


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def save_folder(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """`tensors` and JSON-ready `facts` of something trained; config.json comes last."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    ready = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_atomically(folder / "model.safetensors", save(ready))
    config = {"format": FORMAT, "version": VERSION, "facts": dict(facts)}
    write_atomically(folder / "config.json", json.dumps(config, indent=1, sort_keys=True).encode())


def load_folder(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save_folder` wrote. `NotReady` where nothing is, `BrainvizError` where it is damaged or foreign."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / "config.json"
    if not path.is_file():
        raise NotReady("Nothing trained is here.", str(folder), "Train it first.")
    try:
        config = json.loads(path.read_text())
        tensors: dict[str, Tensor] = load_file(folder / "model.safetensors")
    except (UnicodeDecodeError, json.JSONDecodeError, SafetensorError, OSError) as error:
        raise BrainvizError("What was trained cannot be read.", str(folder), _REMEDY) from error
    if not isinstance(config, dict) or config.get("format") != FORMAT or config.get("version") != VERSION:
        raise BrainvizError("This is no trained part of Mind-Animator, or of another version.", str(folder), _REMEDY)
    return tensors, config["facts"]


def as_tensor(values: Any) -> Tensor:
    """An array as a tensor of its own memory."""
    return torch.from_numpy(values).clone() if not isinstance(values, Tensor) else values
