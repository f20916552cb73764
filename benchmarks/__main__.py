"""``make benchmarks``: every figure with its limit, measured in this run."""

from __future__ import annotations

from benchmarks import append, fanout, feeds, http, projections, replay, seal, verify

if __name__ == "__main__":
    replay.main()
    append.main()
    http.main()
    feeds.main()
    fanout.main()
    projections.main()
    seal.main()
    verify.main()
