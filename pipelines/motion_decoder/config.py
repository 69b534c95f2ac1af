"""Settings of the decoders. Every value was chosen on held-out training segments of development data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from brainviz.errors import BrainvizError

Config = TypeVar("Config")


def config_from_mapping(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Build the frozen dataclass `kind` from `values`; nested sections are mappings.

    Raises
    ------
    BrainvizError
        For a key that `kind` does not have.
    """
    known = {entry.name: entry for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise BrainvizError(
            f"Unknown decoder setting {', '.join(map(repr, unknown))}.", kind.__name__, f"Known: {', '.join(known)}."
        )
    ready: dict[str, Any] = {}
    for name, value in values.items():
        default = known[name].default_factory
        if isinstance(value, Mapping) and isinstance(default, type):
            value = config_from_mapping(default, value)
        ready[name] = tuple(value) if isinstance(value, list) else value
    return kind(**ready)


@dataclass(frozen=True)
class RidgeConfig:
    """Kernel ridge from the fMRI window to flow components.

    Attributes
    ----------
    alphas : penalties, in units of the kernel's mean diagonal.
    n_components, n_speed_components : principal components kept of the training fields: flow, log speed.
    reliability_power, delay_weights : prior of `brain`, not of `ridge`: a vertex of reliability r enters with weight
        r ** power, the volumes of a 5-volume window with these weights (volume 3 is 6 s after clip onset).
    """

    alphas: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
    n_components: int = 64
    n_speed_components: int = 24
    reliability_power: float = 1.0
    delay_weights: tuple[float, ...] = (0.1, 0.3, 0.5, 1.0, 0.7)


@dataclass(frozen=True)
class NetworkConfig:
    """The patch networks of `brain`, `shuffled` and `image-only`.

    Attributes
    ----------
    width, dropout : hidden units per layer, share of them dropped in training.
    feature_components, feature_noise : components of the first-frame features used, noise added in training.
    epochs, batch_clips, patches : passes over the clips, clips per step, patches drawn per clip and step.
    learning_rate, weight_decay : AdamW, cosine schedule.
    members : networks in the ensemble; each stops early on another fold of training segments.
    """

    width: int = 32
    dropout: float = 0.0
    feature_components: int = 16
    feature_noise: float = 1.0
    epochs: int = 20
    batch_clips: int = 24
    patches: int = 64
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    members: int = 6


@dataclass(frozen=True)
class ReferenceConfig:
    """The paper's form (`brain-reference`): layer sizes are ours, the paper states none."""

    words: int = 40
    hidden: int = 64
    width: int = 64
    blocks: int = 3
    dropout: float = 0.3
    epochs: int = 20
    batch_clips: int = 24
    patches: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2


@dataclass(frozen=True)
class DecoderConfig:
    """All settings of one training.

    Attributes
    ----------
    seed : of every random draw.
    device : 'cpu' (bit-reproducible with fixed `threads`) or 'cuda' (`brain-reference` in bf16 autocast).
    threads : CPU threads used by training.
    max_folds : cross-validation folds; segments are grouped where there are more of them.
    samples : whole-field samples of the `prior`.
    """

    seed: int = 0
    device: str = "cpu"
    threads: int = 1
    max_folds: int = 6
    samples: int = 10
    ridge: RidgeConfig = field(default_factory=RidgeConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    reference: ReferenceConfig = field(default_factory=ReferenceConfig)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> DecoderConfig:
        """Inverse of `to_mapping`; refuses unknown keys."""
        return config_from_mapping(cls, values)

    def to_mapping(self) -> dict[str, Any]:
        """Plain JSON-ready values."""
        return dataclasses.asdict(self)
