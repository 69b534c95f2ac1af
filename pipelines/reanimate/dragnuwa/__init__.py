"""DragNUWA 1.5 (Yin et al. 2023, arXiv 2308.08089) on diffusers."""
