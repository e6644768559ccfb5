"""How the decision of one plan differs from that of another, in words."""

from collections.abc import Iterator, Mapping

from acreage.domain.plan import Decision
from acreage.units.instants import iso_date

LINES_MAX = 6


def decision_changes(before: Decision, after: Decision) -> tuple[str, ...]:
    """What is signed, left and ported otherwise; at most `LINES_MAX` lines, the last of which counts the rest."""
    lines = list(_lines(before, after))
    if len(lines) > LINES_MAX:
        lines = [*lines[: LINES_MAX - 1], f"and {len(lines) - LINES_MAX + 1} more"]
    return tuple(lines)


def _lines(before: Decision, after: Decision) -> Iterator[str]:
    was, now = _sizes(before), _sizes(after)
    for offer in dict.fromkeys([*was, *now]):
        old, new = was.get(offer, 0), now.get(offer, 0)
        if new and not old:
            yield f"sign {new:,} of {offer}"
        elif old and not new:
            yield f"do not sign {offer}"
        elif old != new:
            yield f"sign {new:,} of {offer} instead of {old:,}"
        elif _terms(before, offer) != _terms(after, offer):
            yield f"sign {offer} from {_starts(after, offer)} instead of {_starts(before, offer)}"
    yield from _set_changes(
        {r.lease: f"on {iso_date(r.ends_at)}" for r in before.releases},
        {r.lease: f"on {iso_date(r.ends_at)}" for r in after.releases},
        "leave lease",
        "keep lease",
    )
    yield from _set_changes(
        {f"{p.workload} to {p.accelerator}": "" for p in before.ports},
        {f"{p.workload} to {p.accelerator}": "" for p in after.ports},
        "port",
        "do not port",
    )


def _sizes(decision: Decision) -> dict[str, int]:
    total: dict[str, int] = {}
    for signing in decision.signings:
        total[signing.offer] = total.get(signing.offer, 0) + signing.accelerators
    return total


def _terms(decision: Decision, offer: str) -> list[tuple[int, int, int]]:
    return sorted((s.starts_at, s.ends_at, s.blocks) for s in decision.signings if s.offer == offer)


def _starts(decision: Decision, offer: str) -> str:
    mine = sorted((s.starts_at, s.ends_at) for s in decision.signings if s.offer == offer)
    return " and ".join(f"{iso_date(start)} to {iso_date(end)}" for start, end in mine)


def _set_changes(was: Mapping[str, str], now: Mapping[str, str], does: str, does_not: str) -> Iterator[str]:
    for key in sorted(set(was) | set(now)):
        if key not in now:
            yield f"{does_not} {key}"
        elif was.get(key) != now[key]:
            yield f"{does} {key} {now[key]}".rstrip()
