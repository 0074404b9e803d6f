"""A connector put together from its home, and what keeps it running."""
