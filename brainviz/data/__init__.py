"""Data-set adapters behind one interface."""
