"""What canvases in a browser page show."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt


def pixels(page: Any, selector: str) -> npt.NDArray[np.int64]:
    """The colours of a canvas as painted: int (h, w, 3)."""
    from PIL import Image

    address = page.locator(selector).evaluate("(canvas) => canvas.toDataURL('image/png')")
    picture = Image.open(io.BytesIO(base64.b64decode(address.split(",", 1)[1])))
    return np.asarray(picture.convert("RGB")).astype(np.int64)
