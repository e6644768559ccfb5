"""How accelerators are spelled: words that carry no meaning, words that pick a variant, TPU slices.

A name is cut into words; makers, form factors and memory sizes are dropped to get the
family, and the same dropped words then pick the variant of the family.
"""

import re
from types import MappingProxyType

_NOISE = frozenset(
    word
    for words_of_a_sort in (
        "nvidia tesla amd radeon instinct google cloud aws amazon microsoft azure",
        "gpu gpus accelerator tensor core hgx dgx mega edge server edition ultra superchip",
        "sxm sxm2 sxm3 sxm4 sxm5 sxm6 pcie nvl nvl72 nvlink oam ib infiniband roce",
        "hbm hbm2 hbm2e hbm3 hbm3e gddr6 gddr7 ada blackwell hopper ampere",
    )
    for word in words_of_a_sort.split()
)
_MEMORY = re.compile(r"^\d+(g|gb|gib)?$")
_NUMBERED = frozenset(("maia", "trainium", "inferentia", "tpuv", "tpu", "rtxpro", "rtx", "gaudi", "quadrortx", ""))
"""Families whose number is a word of its own: 'Trainium 2', 'RTX PRO 6000'."""
_CHIP_MEMORY = re.compile(r"^(a100|h100|h200|v100|b200|b300|l40s|gh200|mi300x)([1-9]\d+)(g|gb|gib)?$")

_SYNONYMS = MappingProxyType(
    {
        "trn1": "trainium1",
        "trn1n": "trainium1",
        "trainium": "trainium1",
        "trn2": "trainium2",
        "trn2u": "trainium2",
        "trn3": "trainium3",
        "inf2": "inferentia2",
        "trillium": "tpuv6e",
        "ironwood": "tpuv7",
        "tpu7x": "tpuv7",
        "tpu7": "tpuv7",
        "tpuv7x": "tpuv7",
        "v7x": "tpuv7",
        "v4": "tpuv4",
        "v4podslice": "tpuv4",
        "tpuv4podslice": "tpuv4",
        "v5e": "tpuv5e",
        "v5litepod": "tpuv5e",
        "tpuv5lite": "tpuv5e",
        "tpuv5litepod": "tpuv5e",
        "tpuv5litepodslice": "tpuv5e",
        "v5p": "tpuv5p",
        "v5pslice": "tpuv5p",
        "tpuv5pslice": "tpuv5p",
        "v6e": "tpuv6e",
        "tpuv6eslice": "tpuv6e",
        "rtxpro": "rtxpro6000",
        "rtxprosrv": "rtxpro6000",
        "rtxpro6000bse": "rtxpro6000",
        "rtx6000pro": "rtxpro6000",
        "h100sxm": "h100",
        "h100mega": "h100",
        "maia": "maia100",
    }
)

_SLICE = re.compile(r"^(?:tpu-?)?(v\d+(?:litepod|lite|[a-z])?|7x)-(\d+)$")
_CORES_PER_CHIP = MappingProxyType({"v2": 2, "v3": 2, "v4": 2, "v5p": 2})
"""Slices of these generations are named by TensorCores, others by chips (Google Cloud TPU docs)."""


def words(name: str) -> list[str]:
    """The lower-case words of a name, with a memory size written onto a chip split from it."""
    found = []
    for word in re.split(r"[^a-z0-9]+", name.lower()):
        glued = _CHIP_MEMORY.match(word)
        found += [glued[1], f"{glued[2]}gb"] if glued else [word] if word else []
    return found


def canonical_key(name: str) -> str:
    """The family a name belongs to: 'NVIDIA H100 80GB HBM3' and 'H100-PCIe' both give 'h100'."""
    parts = [word for word in words(name) if word not in _NOISE]
    joined = "".join(word for word in parts if not _MEMORY.match(word))
    numbered = "".join(word for word in parts if not _MEMORY.match(word) or word.isdigit())
    key = numbered if joined in _NUMBERED else joined
    return _SYNONYMS.get(key, key)


def variant(base: str, name: str) -> str:
    """The member of a family that the other words of the name pick: memory size and form factor."""
    parts = set(words(name))
    family = base.split("-")[0]
    if family == "A100":
        big = any(re.fullmatch(r"80(g|gb|gib)?", word) for word in parts)
        return "A100-80GB-PCIe" if big and "pcie" in parts else "A100-80GB" if big else "A100-40GB"
    if family == "H100":
        if "nvl" in parts or parts & {"94gb", "94g", "94gib", "94"}:
            return "H100-NVL"
        return "H100-PCIe" if "pcie" in parts else "H100"
    if family == "V100":
        return "V100-32GB" if any(re.fullmatch(r"32(g|gb|gib)?", word) for word in parts) else "V100"
    return base


def split_slice(name: str) -> tuple[str, int]:
    """The chip and how many of them a TPU slice is: 'tpu-v5p-12288' is 6144; other names are one chip."""
    match = _SLICE.match(name.strip().lower())
    if match is None:
        return name, 1
    generation, size = match[1], int(match[2])
    return f"tpu-{generation}", max(1, size // _CORES_PER_CHIP.get(generation, 1))
