"""Motion brings the first frame to life: backends behind one interface."""
