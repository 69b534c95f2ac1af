"""The one packed message a component receives: a JSON header and blobs behind it.

Layout: uint32 header length, UTF-8 JSON header, padding, blobs. The header names the blobs by ``{"offset", "length"}``,
counted from the start of the message. One `bytes` object, because NaN breaks Streamlit's JSON path and nested bytes
turn the whole message into a string.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from brainviz.errors import BrainvizError

ALIGNMENT = 8
LARGEST = 4_000_000  # beyond this a clip switch is felt


class Packer:
    """Collects blobs while the header is being built; `pack` puts them together."""

    def __init__(self) -> None:
        self._places: list[dict[str, int]] = []
        self._blobs: list[bytes] = []
        self._end = 0

    def add(self, blob: bytes) -> dict[str, int]:
        """Append a blob; the returned place is completed by `pack`, so keep the same object in the header."""
        place = {"offset": self._end, "length": len(blob)}
        padding = -len(blob) % ALIGNMENT
        self._blobs.append(blob + bytes(padding))
        self._places.append(place)
        self._end += len(blob) + padding
        return place

    def pack(self, header: dict[str, Any]) -> bytes:
        """The finished message; raises `BrainvizError` above 4 MB."""
        start = _aligned(4 + len(_json(header)) + 16 * (1 + len(self._places)))  # room for the final offsets
        for place in self._places:
            place["offset"] += start
        head = _json(header)
        message = struct.pack("<I", len(head)) + head + b" " * (start - 4 - len(head)) + b"".join(self._blobs)
        if len(message) > LARGEST:
            raise BrainvizError(
                f"This view would send {len(message) / 1e6:.1f} MB to the browser.", "", "Show fewer panels."
            )
        return message


def quantise(flow: npt.NDArray[np.floating]) -> tuple[bytes, float]:
    """Vectors as little-endian int16 and the scale that turns them back: error at most maximum / 65534.

    Vectors that are not finite become zero; the validity mask marks them.
    """
    finite = np.nan_to_num(np.asarray(flow, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    scale = float(np.abs(finite).max(initial=0.0)) / 32767 or 1.0
    return np.round(finite / scale).astype("<i2").tobytes(), scale


def _json(header: dict[str, Any]) -> bytes:
    return json.dumps(header, allow_nan=False).encode()


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
