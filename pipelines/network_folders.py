"""Networks in folders of transformers and diffusers: read where all weights are there, refused in words where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainviz.errors import DataProblem


def read_network(kind: str, folder: Path, name: str, device: str = "cpu", library: str = "transformers") -> Any:
    """A network of one of the library's classes; nothing of the folder is run, and no pickle is trusted.

    Parameters
    ----------
    kind : str
        A class, as ``ViTForImageClassification``.
    folder : Path
    name : str
        What it is called in messages: "a CLIP".
    device : str
    library : str
        "transformers" or "diffusers".

    Returns
    -------
    The network, in evaluation mode.

    Raises
    ------
    DataProblem
        The folder cannot be read as such a network, or lacks weights of it.
    """
    from brainviz.compat import prepare_torchvision

    prepare_torchvision()
    import importlib
    import pickle

    from safetensors import SafetensorError

    settings = {"trust_remote_code": False} if library == "transformers" else {}
    try:
        model, report = getattr(importlib.import_module(library), kind).from_pretrained(
            folder, local_files_only=True, output_loading_info=True, **settings
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        raise DataProblem(f"The network cannot be read as {name}.", str(folder), f"{library} says: {error}") from error
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])[0]
        raise DataProblem(f"The network lacks weights, first {missing}.", str(folder), "Fetch it again.")
    return model.eval().to(device)
