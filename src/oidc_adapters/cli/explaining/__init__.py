"""What ``oidc explain`` can explain: a code, a callback, a token; offline and without secrets."""
