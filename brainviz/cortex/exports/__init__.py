"""Maps as files that other programs open: pictures, GIFTI, CIFTI, tables, pycortex."""

from brainviz.cortex.exports.pictures import png, svg
from brainviz.cortex.exports.shown import Shown
from brainviz.cortex.exports.surfaces import cifti, from_surface_image, gifti, to_surface_image
from brainviz.cortex.exports.tables import region_csv

__all__ = ["Shown", "cifti", "from_surface_image", "gifti", "png", "region_csv", "svg", "to_surface_image"]
