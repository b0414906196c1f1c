"""The client's own keys and secrets, and how a request is prepared with them."""
