"""The cortical surface, its regions, and maps drawn on it (HCP S1200 fs_LR 32k; MMP1.0)."""

from brainviz.cortex.picture import flatmap_image
from brainviz.cortex.raster import Raster, flatmap_raster
from brainviz.cortex.regions import Parcellation, glasser
from brainviz.cortex.surface import Surface, cortex_to_full, full_to_cortex, load_surface

__all__ = [
    "Parcellation",
    "Raster",
    "Surface",
    "cortex_to_full",
    "flatmap_image",
    "flatmap_raster",
    "full_to_cortex",
    "glasser",
    "load_surface",
]
