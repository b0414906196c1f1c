"""JOSE: algorithms, keys, signatures and encryption (RFC 7515 to RFC 7519)."""
