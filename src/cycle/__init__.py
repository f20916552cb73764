"""The consultation cycle between a commune and its private sector, event-sourced."""

__version__ = "0.4.0"
