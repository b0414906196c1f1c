"""The users that a project had before, by issuer and subject."""
