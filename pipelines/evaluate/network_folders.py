"""Networks in transformers' own folders: read where all their weights are there, refused in words where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainviz.errors import DataProblem


def read_network(kind: str, folder: Path, name: str, device: str = "cpu") -> Any:
    """A network of a class of transformers; nothing of the folder is run, and no pickle is trusted.

    Parameters
    ----------
    kind : str
        A class of transformers, as ``ViTForImageClassification``.
    folder : Path
    name : str
        What it is called in messages: "a CLIP".
    device : str

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
    import pickle

    import transformers
    from safetensors import SafetensorError

    try:
        model, report = getattr(transformers, kind).from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, pickle.UnpicklingError) as error:
        raise DataProblem(
            f"The network cannot be read as {name}.", str(folder), f"transformers says: {error}"
        ) from error
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])[0]
        raise DataProblem(f"The network lacks weights, first {missing}.", str(folder), "Fetch it again.")
    return model.eval().to(device)
