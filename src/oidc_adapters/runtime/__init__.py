"""Clock, entropy, locks and loops."""
