"""The machine: steps, and how a token meets its keys."""
