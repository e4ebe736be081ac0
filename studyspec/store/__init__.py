"""Records, the DuckDB store made of them, and the questions that are asked of it."""
