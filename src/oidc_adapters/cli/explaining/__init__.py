"""The parts of ``oidc explain``: codes, callbacks and tokens, offline and without secrets."""
