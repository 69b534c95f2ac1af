"""From the published checkpoint to a folder that diffusers reads: LoRA folded in, every tensor accounted for."""

from __future__ import annotations

import os
import pickle
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainviz.errors import DataProblem
from brainviz.storage import storage_error
from pipelines.reanimate.dragnuwa.key_map import PREFIX, module_map, our_name

if TYPE_CHECKING:
    from torch import Tensor

_WRAPPERS = ("state_dict", "model_state_dict", "module", "model")
_LORA = (".lora_up.weight", ".lora_down.weight")


@dataclass(frozen=True)
class ConversionReport:
    """What became of a checkpoint's tensors.

    Attributes
    ----------
    mapped : int
        Tensors that found their place in the network.
    folded : int
        Layers into whose weights a low-rank change was added.
    missing : tuple of str
        Our tensors that the checkpoint does not hold.
    unexpected : tuple of str
        Tensors of the checkpoint's U-Net that the network has no place for, or a place of another shape.
    elsewhere : tuple of str
        Tensors of the checkpoint that belong to other parts (autoencoder, image encoder); they are not used.
    """

    mapped: int
    folded: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    elsewhere: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return not self.missing and not self.unexpected

    def demand_complete(self, where: str | Path) -> None:
        """Raise `DataProblem` where a tensor is missing or has no place; the whole list is its remedy."""
        if self.complete:
            return
        shown = ", ".join((*self.missing, *self.unexpected)[:5])
        counts = f"{len(self.missing)} tensors are missing and {len(self.unexpected)} unexpected"
        raise DataProblem(f"The checkpoint does not fit: {counts}, such as {shown}.", str(where), f"All:\n{self}")

    def __str__(self) -> str:
        lines = [f"{self.mapped} tensors mapped, {self.folded} low-rank changes folded in."]
        for title in ("missing", "unexpected", "elsewhere"):
            names = getattr(self, title)
            lines += [f"{len(names)} {title}:", *(f"  {name}" for name in names)] if names else []
        return "\n".join(lines)


def read_checkpoint(path: str | Path) -> dict[str, Tensor]:
    """The flat tensors of a .pth or .safetensors file; nothing but tensors is ever unpickled.

    What training programs wrap around them is taken off: an entry "state_dict", "model_state_dict", "model" or
    "module" (DeepSpeed), and "module." before every name.

    Raises
    ------
    DataProblem
        If the file cannot be read as tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = Path(path)
    try:
        if file.suffix == ".safetensors":
            return dict(load_file(file))
        held = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, RuntimeError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        said = str(error).partition("\n")[0][:200]
        remedy = f"Fetch it again; a file that holds more than tensors is not opened ({type(error).__name__}: {said})."
        raise DataProblem("The checkpoint cannot be read as tensors.", str(file), remedy) from error
    while isinstance(held, Mapping) and (inner := next((held[k] for k in _WRAPPERS if k in held), None)) is not None:
        if not isinstance(inner, Mapping):
            break
        held = inner
    if not isinstance(held, Mapping) or not all(isinstance(value, torch.Tensor) for value in held.values()):
        raise DataProblem("The checkpoint is no flat list of tensors.", str(file), "Use the file as published.")
    common = "module." if held and all(name.startswith("module.") for name in held) else ""
    return {name.removeprefix(common): value for name, value in held.items()}


def fold_lora(tensors: Mapping[str, Tensor], scale: float = 1.0) -> tuple[dict[str, Tensor], int]:
    """Add low-rank changes to their layers: `X.linear.weight + scale up @ down` becomes `X.weight`.

    Returns
    -------
    tensors : dict
        Without low-rank parts, in the order and precision they had; sums are made in float32.
    folded : int
        Number of layers changed.
    """
    plain, folded = {}, 0
    for name, value in tensors.items():
        if name.endswith(_LORA):
            layer = name.rsplit(".lora_", 1)[0]
            if f"{layer}.linear.weight" not in tensors:
                plain[name] = value  # a change of nothing: stays, to be reported as unexpected
            continue
        layer, _, kind = name.rpartition(".linear.")
        if not layer or f"{layer}.lora_up.weight" not in tensors or f"{layer}.lora_down.weight" not in tensors:
            plain[name] = value
            continue
        if kind == "weight":
            up, down = tensors[f"{layer}.lora_up.weight"].float(), tensors[f"{layer}.lora_down.weight"].float()
            value = (value.float() + scale * (up @ down)).to(value.dtype)
            folded += 1
        plain[f"{layer}.{kind}"] = value
    return plain, folded


def convert(
    tensors: Mapping[str, Tensor], network: Any, scale: float = 1.0
) -> tuple[dict[str, Tensor], ConversionReport]:
    """A checkpoint's tensors under our names.

    Parameters
    ----------
    tensors : mapping
        Flat, `model.diffusion_model.*`, or without the prefix throughout.
    network : FlowUNet
        Its structure decides; it may lie on the meta device and is not changed.
    scale : float
        Of the low-rank changes.

    Returns
    -------
    state : dict
        For `network.load_state_dict`.
    report : ConversionReport
    """
    prefixed = any(name.startswith(PREFIX) for name in tensors)
    mine = {name.removeprefix(PREFIX): v for name, v in tensors.items() if not prefixed or name.startswith(PREFIX)}
    elsewhere = tuple(name for name in tensors if prefixed and not name.startswith(PREFIX))
    plain, folded = fold_lora(mine, scale)
    modules, wanted = module_map(network), network.state_dict()
    state, unexpected = {}, []
    for name, value in plain.items():
        ours = our_name(name, modules)
        if ours not in wanted:
            unexpected.append(name)
        elif wanted[ours].shape != value.shape:
            unexpected.append(f"{name} of shape {tuple(value.shape)} instead of {tuple(wanted[ours].shape)}")
        else:
            state[str(ours)] = value
    missing = tuple(name for name in wanted if name not in state)
    return state, ConversionReport(len(state), folded, missing, tuple(unexpected), elsewhere)


def convert_file(
    checkpoint: str | Path, folder: str | Path, config: Mapping[str, Any] | None = None
) -> ConversionReport:
    """Convert once: a checkpoint's file to a U-Net folder (config.json and safetensors).

    Parameters
    ----------
    checkpoint : path
    folder : path
        Written anew, whole or not at all; other parts stay with the stock pipeline.
    config : mapping, optional
        Constructor arguments of `FlowUNet`; the published size by default.

    Raises
    ------
    DataProblem
        If a tensor is missing or has no place; the message begins with the first ones.
    """
    import torch

    from pipelines.reanimate.dragnuwa.network import FlowUNet

    with torch.device("meta"):
        network = FlowUNet(**(config or {}))
    state, report = convert(read_checkpoint(checkpoint), network)
    report.demand_complete(checkpoint)
    network.load_state_dict(state, strict=True, assign=True)
    with whole_folder(Path(folder)) as made:
        network.save_pretrained(made, safe_serialization=True)
        verify_tensors(made, {name: tuple(value.shape) for name, value in network.state_dict().items()})
    return report


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write; on a clean exit it stands at its place at once, on any error it is removed."""
    made = folder.with_name(f".{folder.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    try:
        made.mkdir(parents=True)
        yield made
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    except OSError as error:
        raise storage_error(error, folder) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def verify_tensors(folder: Path, wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Read a folder's safetensors back by their headers; raises `DataProblem` unless every tensor stands as wanted."""
    from safetensors import SafetensorError, safe_open

    found: dict[str, tuple[int, ...]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(file, framework="pt") as held:
                found |= {name: tuple(held.get_slice(name).get_shape()) for name in held.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise DataProblem(
                f"The converted weights cannot be read ({error}).", str(file), "Convert again."
            ) from error
    wrong = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    if wrong:
        raise DataProblem(f"The converted weights differ in {', '.join(wrong[:5])}.", str(folder), "Convert again.")
