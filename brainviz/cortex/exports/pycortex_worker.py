"""The process that runs pycortex: ``python pycortex_worker.py FOLDER`` with map.npz and order.json in the folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

if __package__ in (None, ""):  # started as a file: brainviz lies three folders up
    sys.path[0] = str(Path(__file__).resolve().parents[3])

from brainviz.cortex.outlines import region_outlines
from brainviz.cortex.surface import N_HEMISPHERE, Surface, load_surface


def make_subject(name: str, store: Path) -> Any:
    """Write fs_LR 32k as a pycortex subject into a private store; returns the module ``cortex``."""
    import cortex
    import cortex.database as database

    store.mkdir(parents=True, exist_ok=True)
    cortex.options.config.set("basic", "filestore", str(store))
    cortex.db.filestore = str(store)
    database.default_filestore = str(store)
    cortex.db.reload_subjects()
    cortex.db.make_subj(name)
    surface = load_surface()
    for side, part in (("lh", slice(0, N_HEMISPHERE)), ("rh", slice(N_HEMISPHERE, None))):
        for kind, (points, faces) in _meshes(surface, part).items():
            path = store / name / "surfaces" / f"{kind}_{side}.gii"
            cortex.formats.write_gii(str(path), points.astype(np.float32), faces.astype(np.int32))
    left, right = -surface.sulc[:N_HEMISPHERE], -surface.sulc[N_HEMISPHERE:]
    np.savez(store / name / "surface-info" / "curvature.npz", left=left, right=right)
    cortex.db.reload_subjects()
    return cortex


def _meshes(surface: Surface, part: slice) -> dict[str, tuple[Any, Any]]:
    start = part.start
    stop = start + N_HEMISPHERE

    def own(faces: Any) -> Any:
        return faces[(faces[:, 0] >= start) & (faces[:, 0] < stop)] - start

    flat = np.column_stack([surface.flat[part], np.zeros(N_HEMISPHERE)])
    closed = own(surface.faces)
    meshes = {"flat": (flat, own(surface.flat_faces)), "inflated": (surface.inflated[part], closed)}
    for kind in ("fiducial", "wm", "pia"):  # one mid-surface stands for all three: thickness is not shown
        meshes[kind] = (surface.midthickness[part], closed)
    return meshes


def figure(cortex: Any, data: Any, order: dict[str, Any]) -> None:
    """quickflat's figure with our outlines above it."""
    import matplotlib.pyplot as plt

    made = cortex.quickflat.make_figure(
        data, height=order["height"], with_rois=False, with_labels=False, with_curvature=True, with_colorbar=True
    )
    axes = made.axes[0]
    left, right, bottom, top = axes.images[0].get_extent()
    used = load_surface().flat[np.unique(load_surface().flat_faces)]
    low, high = used.min(0), used.max(0)
    for lines in region_outlines().values():
        for line in lines:
            share = (line - low) / (high - low)
            axes.plot(
                left + share[:, 0] * (right - left), bottom + share[:, 1] * (top - bottom), color="k", lw=0.4, alpha=0.5
            )
    axes.set_title(order["title"])
    made.text(0.01, 0.01, order["words"], fontsize=8, color="0.35")
    words = {
        "Title": order["title"],
        "Description": order["words"],
        "Settings": order["settings"],
        "Software": "brainviz",
    }
    made.savefig(order["target"], dpi=150, metadata=words, facecolor="w", bbox_inches="tight")
    plt.close(made)


def main(folder: Path) -> None:
    """Do what order.json says."""
    order = json.loads((folder / "order.json").read_text())
    cortex = make_subject(order["subject"], folder / "store")
    with np.load(folder / "map.npz", allow_pickle=False) as stored:
        values = np.where(stored["kept"] > 0, stored["values"], np.nan)
        table = stored["table"]
    colours = folder / "brainviz.png"
    from PIL import Image

    Image.fromarray(table[None]).save(colours)
    cortex.options.config.set("webgl", "colormaps", str(folder))
    data = cortex.Vertex(
        values, order["subject"], vmin=order["low"], vmax=order["high"], cmap=_colormap(cortex, colours)
    )
    if order["what"] == "figure":
        figure(cortex, data, order)
    else:
        cortex.webgl.make_static(order["target"], {order["title"] or "map": data}, title=order["words"])


def _colormap(cortex: Any, picture: Path) -> str:
    """Make our colours known to matplotlib and the viewer under one name."""
    import matplotlib
    from matplotlib.colors import ListedColormap
    from PIL import Image

    with Image.open(picture) as strip:
        matplotlib.colormaps.register(ListedColormap(np.asarray(strip)[0] / 255.0, name=picture.stem), force=True)
    return picture.stem


if __name__ == "__main__":
    main(Path(sys.argv[1]))
