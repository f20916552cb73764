"""Subscriptions: whose they are, and what of the log waits for them in a queue beside it that may be lost."""
