"""Image and video encoders: one file per family, one registry for each purpose."""
