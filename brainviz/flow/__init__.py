"""Optical-flow fields: units, resampling, codebook, colour wheel, end-point error."""
