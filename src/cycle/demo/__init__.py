"""A deterministic and plausible history of the sample territory: the same seed, the same events."""

from cycle.demo.simulation import LogNotEmpty, Simulated, Summary

__all__ = ["LogNotEmpty", "Simulated", "Summary"]
