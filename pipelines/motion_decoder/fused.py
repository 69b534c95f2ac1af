"""Two functions with hand-written gradients: a stack of small perceptrons, and the end-point error of their flow.

Networks this small cost more in bookkeeping than in arithmetic. Here all members of an ensemble are computed in the
same few calls, and nothing is computed or kept that the gradients do not need.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class StackedPerceptron(torch.autograd.Function):
    """Outputs (m, outputs, r) of m perceptrons with two hidden layers, for r rows each.

    inputs (m, r, k), first (m, k, width), hidden (m, width, width), hidden_bias (m, 1, width), head
    (m, outputs, width), head_bias (m, outputs, 1); `kept` (m, r, width) multiplies the first layer's activations
    (dropout), or None. Inputs get no gradient.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, first: Tensor, hidden: Tensor, hidden_bias: Tensor, head: Tensor,
                head_bias: Tensor, kept: Tensor | None) -> Tensor:  # fmt: skip
        low = torch.bmm(inputs, first).relu_()
        if kept is not None:
            low *= kept
        high = torch.baddbmm(hidden_bias, low, hidden).relu_()
        ctx.save_for_backward(inputs, low, high, hidden, head, kept)
        return torch.baddbmm(head_bias, head, high.mT)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, low, high, hidden, head, kept = ctx.saved_tensors
        (above,) = gradients
        at_high = _where_active(torch.bmm(above.mT, head), high)
        at_low = torch.bmm(at_high, hidden.mT)
        if kept is not None:
            at_low *= kept
        at_low = _where_active(at_low, low)
        return (
            None,
            torch.bmm(inputs.mT, at_low),
            torch.bmm(low.mT, at_high),
            at_high.sum(1, keepdim=True),
            torch.bmm(above, high),
            above.sum(2, keepdim=True),
            None,
        )


class FlowError(torch.autograd.Function):
    """Sum over valid vectors of the end-point error, (m,), for m members with b clips of p patches each.

    told (m, 3 * 2t, b * p) is `here`, `everywhere`, `change` of `network`; base and target (m, 2t, b * p), all x before
    all y; mean (m, 2t, b); valid (m, t, b * p), 0 or 1; signs (m, 2, b), of x and y in a mirrored clip.
    Mirroring flow does not change lengths, so base, mean and target stay as they are and only `change` is mirrored.
    """

    @staticmethod
    def forward(ctx: Any, told: Tensor, base: Tensor, mean: Tensor, target: Tensor, valid: Tensor,
                signs: Tensor) -> Tensor:  # fmt: skip
        members, outputs, _ = base.shape
        here, everywhere, change = told.split(outputs, dim=1)
        clips = (members, outputs, mean.shape[2], -1)
        error = base - target
        error.addcmul_(base, here)
        error.view(clips).addcmul_(everywhere.view(clips), mean[..., None])
        error.view(clips).addcmul_(change.view(clips), _per_output(signs, outputs))
        x, y = error.chunk(2, dim=1)
        length = torch.mul(x, x).addcmul_(y, y).add_(1e-6).sqrt_()
        direction = error.unflatten(1, (2, -1)) * (valid / length)[:, None]
        ctx.save_for_backward(direction.view_as(base), base, mean, signs)
        return (length * valid).sum(dim=(1, 2))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        direction, base, mean, signs = ctx.saved_tensors
        members, outputs, rows = base.shape
        clips = (members, outputs, mean.shape[2], -1)
        at_flow = direction * gradients[0][:, None, None]
        at_told = torch.empty(members, 3 * outputs, rows, dtype=at_flow.dtype, device=at_flow.device)
        here, everywhere, change = at_told.split(outputs, dim=1)
        torch.mul(at_flow, base, out=here)
        torch.mul(at_flow.view(clips), mean[..., None], out=everywhere.view(clips))
        torch.mul(at_flow.view(clips), _per_output(signs, outputs), out=change.view(clips))
        return at_told, None, None, None, None, None


def _where_active(gradient: Tensor, activation: Tensor) -> Tensor:
    """`gradient`, in place, zero where the rectified `activation` is zero."""
    blocked: Tensor = torch.ops.aten.threshold_backward.grad_input(gradient, activation, 0, grad_input=gradient)
    return blocked


def _per_output(signs: Tensor, outputs: int) -> Tensor:
    """(m, 2, b) -> (m, outputs, b, 1): the sign of x for the first half of the outputs, of y for the second."""
    return signs.repeat_interleave(outputs // 2, dim=1)[..., None]
