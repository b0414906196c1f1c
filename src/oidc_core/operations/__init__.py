"""One module for each operation; each returns a step."""
