"""Where logins in flight and the providers' key sets are kept."""
