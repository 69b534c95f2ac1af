"""Scores of a film against the true one, on arrays and on embeddings. Models that make embeddings stay in pipelines."""
