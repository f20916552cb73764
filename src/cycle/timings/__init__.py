"""Time between cycles and what it is made of: how it is estimated, and from which facts."""
