"""An exhaustive explorer of the protocol of shared refresh tokens."""
