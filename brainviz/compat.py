"""The one place for version and build quirks."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

_DECLARED: list[Any] = []  # a torch Library drops its operators when it is collected


def prepare_torchvision() -> bool:
    """Make `import torchvision` work where its compiled operators do not match torch's build.

    A CPU torch beside a CUDA torchvision cannot load torchvision's operators, and `import torchvision` (hence the
    image processors of diffusers and transformers) stops with "operator torchvision::nms does not exist". The networks
    used here need none of these operators, so their names are declared empty before the import; calling one would
    still fail. Call this before anything that imports torchvision; it does nothing where the builds match.

    Returns
    -------
    bool
        True if operators had to be declared, now or before.
    """
    if _DECLARED:
        return True
    if "torchvision" in sys.modules:
        return False
    package = importlib.util.find_spec("torchvision")
    if package is None or package.submodule_search_locations is None:
        return False
    import torch

    folder = Path(next(iter(package.submodule_search_locations)))
    if _operators_load(torch, folder):
        return False
    library = torch.library.Library("torchvision", "DEF")
    for name in _declared_names(folder):
        library.define(f"{name}() -> Tensor")
    _DECLARED.append(library)
    return True


def _operators_load(torch: Any, folder: Path) -> bool:
    """Whether torchvision's extension loads into this torch."""
    if hasattr(torch.ops.torchvision, "nms"):
        return True
    extensions = sorted(folder.glob("_C*.so"))
    if not extensions:
        return False
    try:
        torch.ops.load_library(str(extensions[0]))
    except OSError:
        return False
    return hasattr(torch.ops.torchvision, "nms")


def _declared_names(folder: Path) -> list[str]:
    """Operators for which torchvision registers shapes at import, which fails where they do not exist."""
    source = (folder / "_meta_registrations.py").read_text(encoding="utf-8")
    return sorted(set(re.findall(r'register_fake\("torchvision::(\w+)"', source)))
