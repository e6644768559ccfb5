"""Which accelerators a machine type carries, and how many: from a table, and from what its name says.

Feeds are wrong about this in practice (12 GPUs where there are 8), and AWS and Azure name
no chip at all, so it is known here apart from any feed.
"""

import csv
import re
from functools import cache
from importlib import resources

import polars as pl

from acreage.catalog.accelerators import find

_AWS_FAMILIES = {
    "p3": "V100",
    "p3dn": "V100-32GB",
    "p4d": "A100-40GB",
    "p4de": "A100-80GB",
    "p5": "H100",
    "p5e": "H200",
    "p5en": "H200",
    "p6-b200": "B200",
    "p6-b300": "B300",
    "p6e-gb200": "GB200",
    "p6e-gb300": "GB300",
    "g4dn": "T4",
    "g5": "A10G",
    "g6": "L4",
    "gr6": "L4",
    "g6e": "L40S",
    "g7e": "RTXPRO6000",
    "trn1": "Trainium1",
    "trn1n": "Trainium1",
    "trn2": "Trainium2",
    "trn2u": "Trainium2",
    "trn3": "Trainium3",
    "inf2": "Inferentia2",
}
"""Instance families of Amazon EC2 with one kind of accelerator (EC2 accelerated computing documentation)."""

_COUNTS = (
    r"(?:^|[_\- .])(\d{1,2})x(?=[_\- .]|$)",  # 8x-H100, gpu_8x_h100, ccs-h200.sxm.8x
    r"(?<=[a-z0-9])x(\d{1,2})$",  # H100x8, sxm4x8
    r"[_\-.](\d{1,2})gpus?(?=[_\-.]|$)",  # 8gpu-128vcpu
    r"-(\d{1,2})[gt]$",  # a3-highgpu-8g, ct5p-hightpu-4t
    r"^(?:BM|VM)\.GPU[A-Za-z0-9\-.]*\.(\d{1,2})$",  # BM.GPU.H100.8
    r"^(\d{1,2})[A-Z]{1,2}\d{2,4}\.",  # 8B200.240V
)


@cache
def known_shapes() -> pl.DataFrame:
    """Columns provider, instance_type, shape_accelerator and shape_accelerators (chips)."""
    text = resources.files("acreage.catalog.data").joinpath("shapes.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return pl.DataFrame(
        {
            "provider": [row["provider"] for row in rows],
            "instance_type": [row["instance_type"] for row in rows],
            "shape_accelerator": [row["accelerator"] for row in rows],
            "shape_accelerators": pl.Series([int(row["accelerators"]) for row in rows], dtype=pl.Int64),
        }
    )


def accelerator_by_name(provider: str, instance_type: str) -> str:
    """The chip that a machine type's name says, in canonical form; empty where it says none."""
    if provider == "aws":
        return _AWS_FAMILIES.get(instance_type.partition(".")[0], "")
    if provider == "azure":
        return _azure_chip(instance_type)
    return ""


def _azure_chip(size: str) -> str:
    words = size.split("_")
    for word in words:
        chip = find(word) if not re.match(r"^v\d$|^[A-Z]+\d+[a-z]+$", word) else None
        if chip == "A100-40GB":
            return "A100-80GB-PCIe" if words[1].startswith("NC") else "A100-80GB"
        if chip == "H100" and words[1].startswith("NC"):
            return "H100-NVL"
        if chip is not None:
            return chip
    return ""


def count_by_name(instance_type: str) -> int | None:
    """How many chips a machine type's name says it has; None where it says nothing."""
    for pattern in _COUNTS:
        match = re.search(pattern, instance_type)
        if match and int(match[1]) > 0:
            return int(match[1])
    return None
