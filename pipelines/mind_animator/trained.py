"""A trained part: what it decodes, and its files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from brainviz.errors import BrainvizError
from pipelines.mind_animator.checkpoints import as_tensor, load_folder, save_folder
from pipelines.mind_animator.config import MindAnimatorConfig
from pipelines.mind_animator.data import FmriInput, shaped
from pipelines.mind_animator.forms import Form
from pipelines.mind_animator.networks import Sizes, build_network
from pipelines.mind_animator.projection import haufe_pattern, weight_product
from pipelines.mind_animator.voxels import scaled_on_itself
from pipelines.motion_decoder.data import BoldWindows
from pipelines.motion_decoder.determinism import fixed_threads

Array = NDArray[np.float32]
AT_ONCE = 64
PATTERN_COMPONENTS = 10


@dataclass
class TrainedPart:
    """A network with its input, ready to decode.

    Attributes
    ----------
    part, form, config, sizes : what it is.
    fmri : how volumes become inputs.
    network : in eval mode.
    facts : held-out loss, best epoch, epochs trained.
    """

    part: str
    form: Form
    config: MindAnimatorConfig
    sizes: Sizes
    fmri: FmriInput
    network: nn.Module
    facts: dict[str, Any]

    def inputs(self, bold: BoldWindows, test: bool = True) -> Array:
        """What the network sees of n clips. As released, test clips are z-scored over themselves first."""
        if test and self.form.scale_test_on_itself:
            own = np.asarray(scaled_on_itself(np.asarray(bold.volumes, np.float32)), np.float32)
            bold = BoldWindows(own, bold.index)
        return shaped(self.fmri.windows(bold), self.part, self.form)

    def semantics(self, bold: BoldWindows, test: bool = True) -> tuple[Array, Array]:
        """Vectors (n, width) and conditions (n, tokens, token width); of the semantic decoder."""
        made = [self.network(part) for part in self._parts(bold, "semantic", test)]
        return _joined([each.vector for each in made]), _joined([each.condition for each in made])

    def first_latents(self, bold: BoldWindows, test: bool = True) -> Array:
        """float32 (n, channels, side, side); of the structure decoder."""
        made = _joined([self.network(part) for part in self._parts(bold, "structure", test)])
        return made.reshape(len(made), *self.sizes.latent[1:])

    def latents(self, bold: BoldWindows, first: Array, test: bool = True) -> Array:
        """float32 (n, frames, channels, side, side) from the first frame's (n, channels, side, side); of motion."""
        starts = torch.from_numpy(np.ascontiguousarray(first)).flatten(1)[:, None].split(AT_ONCE)
        steps, made = self.sizes.latent[0] - 1, []
        for part, start in zip(self._parts(bold, "motion", test), starts, strict=True):
            start = start.to(self.config.device)
            made.append(self.network.unroll(part, start, steps, self.form.causal_inference))
        return _joined(made).reshape(len(first), *self.sizes.latent)

    def _parts(self, bold: BoldWindows, part: str, test: bool) -> list[Tensor]:
        if self.part != part:
            raise BrainvizError(f"The {self.part} decoder cannot do what the {part} decoder does.", "Mind-Animator")
        with fixed_threads(self.config.threads):
            given = torch.from_numpy(np.ascontiguousarray(self.inputs(bold, test)))
        self.network.requires_grad_(False)
        return list(given.to(self.config.device).split(AT_ONCE))

    def vertex_filter(self) -> NDArray[np.float64]:
        """Weight product of every vertex, (vertices,); the mean over the window's volumes where several are seen."""
        network: Any = self.network
        encoder = network.encoder if self.part == "motion" else network
        weights = encoder.lin0[0].weight.detach().double().cpu().numpy().T
        volumes = weights.reshape(-1, self.sizes.channels, weights.shape[1])
        later: list[nn.Linear] = []
        if self.part != "structure":  # as released, the structure decoder is judged by its first layer alone
            blocks = [block[0] for block in encoder.mlp]
            ends = [encoder.lin1] if self.part == "motion" else [encoder.lin1[i] for i in (2, 5, 8)]
            later = [*blocks, *ends]
        matrices = [layer.weight.detach().double().cpu().numpy().T for layer in later]
        each = [weight_product([self.fmri.vertex_weights(volume), *matrices]) for volume in volumes]
        return np.mean(each, axis=0)

    def vertex_pattern(self, bold: BoldWindows, decoded: Array) -> NDArray[np.float64]:
        """Length of each vertex's Haufe pattern, (vertices,), over the first components of what was `decoded` (n, d).

        The vertex is seen as the mean of the window's volumes.
        """
        centred = decoded.reshape(len(decoded), -1).astype(np.float64)
        centred = centred - centred.mean(0)
        left, values, _ = np.linalg.svd(centred, full_matrices=False)
        components = (left * values)[:, :PATTERN_COMPONENTS]
        components = components / np.maximum(components.std(0), 1e-12)
        volumes = np.asarray(bold.volumes, np.float32)
        seen = np.mean([volumes[np.maximum(column, 0)] for column in bold.index.T], axis=0)
        return np.linalg.norm(haufe_pattern(seen, components), axis=1)

    def save(self, folder: Path) -> None:
        """Weights and settings; `load_part` reads them back."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {"fmri.mean": as_tensor(self.fmri.mean), "fmri.basis": as_tensor(self.fmri.basis)}
        sizes = dataclasses.asdict(self.sizes)
        described = {"part": self.part, "form": dataclasses.asdict(self.form), "config": self.config.to_mapping()}
        save_folder(folder, tensors, {**described, "sizes": sizes, "gain": self.fmri.gain, "training": self.facts})


def load_part(folder: Path) -> TrainedPart:
    """A trained part from its folder; raises as `checkpoints.load_folder`."""
    tensors, facts = load_folder(folder)
    form, config = Form(**facts["form"]), MindAnimatorConfig.from_mapping(facts["config"])
    described: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in facts["sizes"].items()}
    sizes = Sizes(**described)
    network = build_network(facts["part"], sizes, form, config)
    own = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    network.load_state_dict(own)
    fmri = FmriInput(tensors["fmri.mean"].numpy(), tensors["fmri.basis"].numpy(), facts["gain"])
    return TrainedPart(facts["part"], form, config, sizes, fmri, network.to(config.device).eval(), facts["training"])


def _joined(parts: list[Tensor]) -> Array:
    return np.asarray(torch.cat([part.detach().cpu() for part in parts]).numpy(), np.float32)
