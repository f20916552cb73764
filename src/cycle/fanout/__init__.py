"""Fan-out: every event of the log handed on to many consumers at once, in its order, from the log and nothing else.

``subjects`` says under which subject an event is published, ``handing`` makes messages of the log and says whether a
stream is the one that was made of it. How bytes get to NATS is an adapter's business.
"""
