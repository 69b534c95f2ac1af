"""Same inputs, same outputs: fixed threads and seeds that depend on what is computed, not on when."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from brainviz.errors import BrainvizError


def derived_seed(*parts: object) -> int:
    """A seed from any names and numbers, the same on every machine."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "little")


@contextmanager
def fixed_threads(threads: int) -> Iterator[None]:
    """Torch and BLAS run on `threads` CPU threads inside; restored on leaving. Sums depend on the thread count."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads))
    try:
        with threadpool_limits(limits=max(1, threads)):
            yield
    finally:
        torch.set_num_threads(before)


def checked_device(device: str) -> str:
    """`device` when it can be used here.

    Raises
    ------
    BrainvizError
        For 'cuda' without a GPU, or an unknown name.
    """
    import torch

    if device.split(":")[0] not in {"cpu", "cuda"}:
        raise BrainvizError(f"Unknown device {device!r}.", "decoder settings", "Use 'cpu' or 'cuda'.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise BrainvizError("No CUDA device is visible.", "decoder settings", "Use --device cpu.")
    return device
