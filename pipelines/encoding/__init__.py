"""Encoding models: voxel-wise ridge from delayed features to cortex."""
