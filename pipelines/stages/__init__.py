"""The stage functions: each reads its inputs from the workspace and writes one result."""
