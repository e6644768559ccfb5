"""SkyPilot's `resources:` block as it stands: which chips, how many, where.

Fields as in SkyPilot 0.14's YAML specification. Fields that say nothing to a capacity plan
(disks, images, ports ...) are kept as notes; fields that SkyPilot does not know are errors.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from acreage.units.errors import InputError

PLANNED = {"accelerators", "infra", "cloud", "region", "zone", "any_of", "ordered", "use_spot", "max_hourly_cost"}
NOTED = {
    "accelerator_args",
    "autostop",
    "cpus",
    "disk_size",
    "disk_tier",
    "ephemeral_storage",
    "image_id",
    "instance_type",
    "job_recovery",
    "labels",
    "local_disk",
    "memory",
    "network_tier",
    "ports",
    "priority",
    "priority_class",
    "volumes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One alternative: these accelerators in this cloud and region; an empty one means any."""

    accelerators: frozenset[str]
    cloud: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a block asks for: accelerators by name with their number, the alternatives, notes."""

    accelerators: Mapping[str, int]
    choices: tuple[Choice, ...]
    nodes: int
    notes: tuple[str, ...]


def read_resources(block: Mapping[str, Any]) -> Resources:
    """Read a block; raises `InputError` for what SkyPilot itself would not accept."""
    accelerators: dict[str, int] = {}
    choices: list[Choice] = []
    notes: list[str] = []
    for choice in _choices(block):
        _check_fields(choice)
        asked = dict(_accelerators(choice.get("accelerators")))
        # The smallest gang asked for is the one that must fit.
        accelerators |= {name: min(count, accelerators.get(name, count)) for name, count in asked.items()}
        cloud, region = _place(choice)
        choices.append(Choice(accelerators=frozenset(asked), cloud=cloud, region=region))
        notes += [f"{field} says nothing to a capacity plan" for field in choice if field in NOTED]
        notes += [
            f"{field} is left to the launcher; the plan buys by the price list"
            for field in ("use_spot", "max_hourly_cost")
            if field in choice
        ]
    if not accelerators:
        raise InputError("the block names no accelerators", fix="add for example accelerators: H100:8")
    return Resources(accelerators=accelerators, choices=tuple(choices), nodes=1, notes=tuple(dict.fromkeys(notes)))


def _choices(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The block, or its any_of / ordered alternatives with the shared fields filled in."""
    shared = {key: value for key, value in block.items() if key not in ("any_of", "ordered")}
    alternatives = block.get("any_of") or block.get("ordered")
    if alternatives is None:
        yield shared
        return
    if not isinstance(alternatives, list) or not all(isinstance(item, dict) for item in alternatives):
        raise InputError("any_of and ordered are lists of blocks", fix="write a list of mappings")
    for item in alternatives:
        yield {**shared, **item}


def _check_fields(choice: Mapping[str, Any]) -> None:
    for field in choice:
        if field not in PLANNED | NOTED:
            raise InputError(f"SkyPilot has no field {field!r} in resources", fix="see SkyPilot's YAML specification")


def _accelerators(value: Any) -> Iterator[tuple[str, int]]:
    if value is None:
        return
    if isinstance(value, str):
        name, _, count = value.partition(":")
        yield name.strip(), _count(count or "1")
    elif isinstance(value, dict):
        for name, count in value.items():
            yield str(name), _count(str(count if count is not None else 1))
    elif isinstance(value, list):
        for item in value:
            yield from _accelerators(item)
    else:
        raise InputError(f"{value!r} names no accelerators", fix="write for example H100:8")


def _count(text: str) -> int:
    try:
        count = float(text)
    except ValueError:
        raise InputError(f"{text!r} is not a number of accelerators", fix="write for example H100:8") from None
    if count < 1 or count != int(count):
        raise InputError(f"{text} accelerators cannot be planned", fix="write a whole number of at least 1")
    return int(count)


def _place(choice: Mapping[str, Any]) -> tuple[str, str]:
    infra = choice.get("infra")
    if infra:
        cloud, _, rest = str(infra).partition("/")
        region = rest.partition("/")[0]
        return ("" if cloud == "*" else cloud.lower(), "" if region == "*" else region)
    return str(choice.get("cloud") or "").lower(), str(choice.get("region") or "")
