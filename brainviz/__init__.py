"""Motion read from brains watching films: the domain's own objects and how they look."""
