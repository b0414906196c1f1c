"""Real servers of others, each started for the tests alone and ended with them."""
