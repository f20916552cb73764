"""NATS JetStream: the stream that events are handed on to, and what hands them on."""
