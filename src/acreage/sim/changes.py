"""Changes of a world: a lab deals with everybody, a cloud opens, a chip is late; several go together by +."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from acreage.domain.market_world import World
from acreage.units.errors import InputError

MONTHS_PER_QUARTER = 3
WRITTEN = "multi-vendor:LAB, open-spare:CLOUD or late-chip:CHIP:QUARTERS, several joined by +"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A changed world with the change's name as it was written, and in words."""

    name: str
    words: str
    world: World


def changed(world: World, text: str) -> Changed:
    """The world under a change; raises `InputError` for one that is unknown or makes no sense in this world."""
    words = []
    made = world
    for part in text.split("+"):
        kind, _, rest = part.strip().partition(":")
        if kind not in CHANGES:
            raise InputError(f"unknown change {part!r}", fix=f"write {WRITTEN}")
        made, said = CHANGES[kind](made, rest)
        words.append(said)
    return Changed(name=text, words="; ".join(words), world=made)


def _multi_vendor(world: World, name: str) -> tuple[World, str]:
    """The lab deals with every cloud, on every chip, and takes no more than half from any one."""
    lab = next((lab for lab in world.labs if lab.name == name), None)
    if lab is None:
        raise _unknown("lab", name, [lab.name for lab in world.labs])
    open_to_all = replace(
        lab,
        vendors=(),
        chips=tuple(chip.name for chip in world.chips),
        supplier_max_frac=min(lab.supplier_max_frac, 0.5),
    )
    labs = tuple(open_to_all if one is lab else one for one in world.labs)
    return replace(world, labs=labs), f"{name} deals with every cloud, on every chip, at most half with one"


def _open_spare(world: World, name: str) -> tuple[World, str]:
    cloud = next((cloud for cloud in world.clouds if cloud.id == name), None)
    if cloud is None:
        raise _unknown("cloud", name, [cloud.id for cloud in world.clouds])
    if not cloud.closed_to:
        raise InputError(f"{name} leases to everybody already", fix="name a cloud with closed_to")
    opened = replace(cloud, closed_to=())
    clouds = tuple(opened if one is cloud else one for one in world.clouds)
    return replace(world, clouds=clouds), f"{name} opens its spare capacity to {', '.join(cloud.closed_to)}"


def _late_chip(world: World, rest: str) -> tuple[World, str]:
    name, _, quarters = rest.rpartition(":")
    if not quarters.isascii() or not quarters.isdigit() or not 1 <= int(quarters) <= 40:
        raise InputError(f"{rest!r} does not say how late", fix="write late-chip:CHIP:QUARTERS, with 1 to 40 quarters")
    chip = next((chip for chip in world.chips if chip.name == name), None)
    if chip is None:
        raise _unknown("chip", name, [chip.name for chip in world.chips])
    if chip.arrives <= 0:
        raise InputError(f"{name} is there from the start", fix="name a chip that arrives later")
    late = replace(chip, late=chip.late + int(quarters) * MONTHS_PER_QUARTER // world.tick_months)
    chips = tuple(late if one is chip else one for one in world.chips)
    return replace(world, chips=chips), f"{name} is {quarters} quarters late"


def _unknown(kind: str, name: str, known: list[str]) -> InputError:
    return InputError(f"unknown {kind} {name!r} in a change", fix=f"known are {', '.join(known)}")


CHANGES: dict[str, Callable[[World, str], tuple[World, str]]] = {
    "multi-vendor": _multi_vendor,
    "open-spare": _open_spare,
    "late-chip": _late_chip,
}
"""Every kind of change by the word that names it."""
