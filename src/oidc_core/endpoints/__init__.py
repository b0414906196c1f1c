"""One module for each endpoint: the request, the answer, and its checks."""
