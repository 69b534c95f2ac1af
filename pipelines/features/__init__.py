"""Image and video encoders behind one registry."""
