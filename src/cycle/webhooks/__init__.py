"""Webhooks: what is sent, in which order and how often, and what it is signed with.

``signing`` and ``schedule`` are the Standard Webhooks specification; ``endpoints`` are webhooks with their
secrets; ``delivering`` sends. How bytes leave the machine is an adapter's business.
"""
