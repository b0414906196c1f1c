"""The parts of an examination by ``oidc doctor``: each says only what it established."""
