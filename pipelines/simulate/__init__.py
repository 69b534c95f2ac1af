"""The simulated data set: stimulus renderer and simulated cortex."""
