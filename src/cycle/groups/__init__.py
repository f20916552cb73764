"""Consumer groups: several workers share a subscription, and each event is with one of them at a time."""
