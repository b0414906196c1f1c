"""The parties and what is known of a login, as frozen values."""
