"""How results are made."""
