"""Refresh tokens shared by real processes: forked, killed, stopped, and restarted under load."""
