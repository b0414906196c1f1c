"""The paved road: a client made of settings, with one call for each task."""
