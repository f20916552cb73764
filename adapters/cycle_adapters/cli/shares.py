"""Shares for people: what part of what, how sure, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator

import click

from cycle.timings.sharing import Share, ShareGroup, Shares
from cycle.timings.telling import Words
from cycle_adapters.cli.printing import heading, paragraph, table


class TellingShares(Words):
    """Shares in one language."""

    def tell(self, told: list[Shares]) -> None:
        """One measure with its definition, or all of them in one table."""
        one = told[0] if len(told) == 1 else None
        if one:
            heading(self.name(one.metric))
            paragraph(self.means(one.metric), dim=True)
        rows = [
            ["" if one else self.name(each.metric), *self.row(each, group, share)]
            for each in told
            for group in each.groups
            for share in group.shares
        ]
        if not rows:
            click.echo(self.say("none"))
        titles = ("timings-metric", "timings-cohort", "shares-what", "shares-of-what", "timings-frameworks")
        last = ("shares-counted", "shares-share")
        if rows:
            table([self.text(each) for each in (*titles, *last)], rows, self.language, right=(4,))
        if one:
            for line in self.below(one):
                paragraph(line, dim=True)

    def row(self, of: Shares, group: ShareGroup, share: Share) -> list[str]:
        return [
            self.cohort(of.by, group.cohort),
            self.share(of.metric, share.code),
            self.share_about(share.about),
            self.number(share.frameworks),
            self.part(share),
            self.percent_of(share),
        ]

    def below(self, one: Shares) -> Iterator[str]:
        """What a reader needs in order to doubt the figures."""
        yield self.standing(one)
        for group in one.groups:
            words = [self.count(one.metric, code, count) for code, count in group.counts.items() if count]
            place = f"{self.cohort(one.by, group.cohort)} — " if group.cohort else ""
            yield place + " · ".join(words)
        for group in one.groups if len(one.groups) == 1 else ():
            yield from self.changes(group.changes, "shares-change")
            if group.lag:
                yield self.lag(group.lag)
