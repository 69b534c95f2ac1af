"""AdamW (Loshchilov & Hutter 2019), one call per step.

The same arithmetic as `torch.optim.AdamW(fused=True)`, whose first use imports torch's compiler: two seconds and 75 MB
in every process that trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

BETAS, EPSILON = (0.9, 0.999), 1e-8


class AdamW:
    """Moments of every parameter and the steps taken; `state` maps names to tensors that may be saved and restored."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        weight_decay: float,
        betas: tuple[float, float] = BETAS,
        epsilon: float = EPSILON,
    ) -> None:
        self.parameters, self.weight_decay = list(parameters), weight_decay
        self.betas, self.epsilon = betas, epsilon
        self.first = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        self.second = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        self.steps = [torch.zeros((), device=parameter.device) for parameter in self.parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step at learning rate `rate` along the gradients, which are then dropped."""
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self.parameters]
        torch._foreach_add_(self.steps, 1)
        torch._fused_adamw_(
            self.parameters,
            gradients,
            self.first,
            self.second,
            [],
            self.steps,
            lr=rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=self.weight_decay,
            eps=self.epsilon,
            amsgrad=False,
            maximize=False,
        )
        for parameter in self.parameters:
            parameter.grad = None

    @property
    def state(self) -> dict[str, Tensor]:
        """Everything a later step depends on, by name."""
        kinds = {"first": self.first, "second": self.second, "steps": self.steps}
        return {f"{kind}.{number}": value for kind, values in kinds.items() for number, value in enumerate(values)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Inverse of `state`."""
        for name, value in self.state.items():
            value.copy_(state[name])
