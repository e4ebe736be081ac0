"""The typed catalog, filters, fetching, pins, and reading of camera formats."""
