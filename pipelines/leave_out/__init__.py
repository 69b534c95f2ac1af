"""What the ridge decoder loses without a region: exact refits, conditional means, and the null of random patches."""
