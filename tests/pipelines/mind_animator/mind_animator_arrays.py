"""Golden arrays of the original program: weights, inputs and outputs of small networks with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

TOLERANCE = 1e-4  # relative to the largest value, as the golden folder's README says


def arrays(golden: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(golden / "mind_animator" / f"{name}.npz", allow_pickle=False) as held:
        return {key: held[key] for key in held.files}


def tensors(golden: Path, name: str) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(np.asarray(value)) for key, value in arrays(golden, name).items()}


def under(prefix: str, held: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in held.items() if name.startswith(prefix)}


def assert_close(made, expected, tolerance: float = TOLERANCE) -> None:
    made, expected = (np.asarray(torch.as_tensor(part).detach(), np.float64) for part in (made, expected))
    assert made.shape == expected.shape
    assert np.abs(made - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-12)


def assert_gradients(network: torch.nn.Module, held: dict[str, torch.Tensor]) -> None:
    """Gradients `g/<parameter>` of a loss that was just propagated back.

    Those that vanish but for rounding (the bias of an attention's keys) are held to a thousandth of the largest one.
    """
    expected = under("g/", held)
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    made = {name: parameter.grad for name, parameter in network.named_parameters()}
    assert expected and expected.keys() <= made.keys()
    for name, gradient in expected.items():
        allowed = TOLERANCE * max(float(gradient.abs().max()), 1e-3 * largest)
        assert float((made[name] - gradient).abs().max()) <= allowed, name
