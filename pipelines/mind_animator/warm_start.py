"""The semantic decoder's first layer begun as a ridge regression. Ours, not published.

Several hundred clips are too few to find that layer by gradient steps. With vectors that are rectified pairs (positive
parts, then negative parts of a signed vector) the layer's GELU of the ridge prediction and of its negative is already
close to the answer, and training starts from there.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from brainviz.errors import BrainvizError
from pipelines.mind_animator.semantic import SemanticDecoder

Array = NDArray[np.float32]
PENALTY = 1.0
"""In units of the kernel's mean diagonal."""
FIRST_GAIN = 0.1
"""Of the residual blocks, so that they begin as small changes."""


def rectified(vectors: Array) -> Array:
    """Signed vectors (n, d) as pairs of positive and negative parts (n, 2 d), of the same mean square per entry."""
    parts = np.concatenate([np.maximum(vectors, 0), np.maximum(-vectors, 0)], axis=1)
    return np.asarray(parts * np.sqrt(2), np.float32)


@torch.no_grad()
def begin_with_ridge(network: SemanticDecoder, inputs: Array, vectors: Array) -> None:
    """Set the first layer from training clips: inputs (n, channels), rectified vectors (n, 2 d).

    Raises
    ------
    BrainvizError
        Where the vectors are no rectified pairs.
    """
    if vectors.shape[1] % 2 or vectors.min() < 0:
        raise BrainvizError("A ridge start needs rectified vectors.", "semantic decoder", "Set ridge_start to false.")
    half = vectors.shape[1] // 2
    signed = vectors[:, :half] - vectors[:, half:]
    x, y = inputs - inputs.mean(0), signed - signed.mean(0)
    kernel = x @ x.T
    penalty = PENALTY * np.trace(kernel) / len(kernel)
    weights = x.T @ np.linalg.solve(kernel + penalty * np.eye(len(kernel), dtype=kernel.dtype), y)
    both = torch.from_numpy(np.concatenate([weights, -weights], axis=1).T.astype(np.float32))
    network.lin0[0].weight.copy_(both)
    network.lin0[0].bias.copy_(-both @ torch.from_numpy(inputs.mean(0).astype(np.float32)))
    for block in network.mlp:
        block[1].weight.fill_(FIRST_GAIN)
