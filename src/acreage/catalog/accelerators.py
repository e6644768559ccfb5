"""The accelerators known to Acreage: datasheet facts, and the many names they go by.

This module reads one small file and imports nothing heavy, because every command needs it.
"""

import csv
import difflib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from acreage.catalog.names import canonical_key, variant
from acreage.domain.accelerator import Accelerator
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName

DEFAULT_MFU_FRAC = 0.40
"""Share of peak FLOP/s that a well-run training job reaches; public H100 and B200 runs give 0.35 to 0.45."""


@cache
def load_accelerators() -> Mapping[AcceleratorName, Accelerator]:
    """Every accelerator of the shipped table, keyed by its canonical name, in the table's order."""
    text = resources.files("acreage.catalog.data").joinpath("accelerators.csv").read_text(encoding="utf-8")
    facts = (_accelerator(row) for row in csv.DictReader(text.splitlines()))
    return MappingProxyType({fact.name: fact for fact in facts})


def _accelerator(row: Mapping[str, str]) -> Accelerator:
    chips = row["scale_up_domain_chips"]
    return Accelerator(
        name=AcceleratorName(row["accelerator"]),
        vendor=row["vendor"],
        architecture=row["architecture"],
        peak_dense_fp16_tflops=_number(row["peak_dense_fp16_tflops"]),
        peak_dense_bf16_tflops=_number(row["peak_dense_bf16_tflops"]),
        peak_dense_fp8_tflops=_number(row["peak_dense_fp8_tflops"]),
        hbm_gib=_number(row["hbm_gib"]),
        memory_type=row["memory_type"],
        hbm_tb_per_s=_number(row["hbm_tb_per_s"]),
        scale_up_link=row["scale_up_link"],
        scale_up_gb_per_s=_number(row["scale_up_gb_per_s"]),
        scale_up_domain_accelerators=int(chips) if chips else None,
        tdp_w=_number(row["tdp_w"]),
        source=row["source"],
        notes=row["notes"],
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def find(name: str) -> AcceleratorName | None:
    """The canonical name of an accelerator by any of its names; None where no name fits."""
    known = load_accelerators()
    if name in known:
        return AcceleratorName(name)
    base = _keys().get(canonical_key(name))
    return None if base is None else AcceleratorName(variant(base, name))


@cache
def _keys() -> Mapping[str, str]:
    keys = {canonical_key(name): str(name) for name in reversed(list(load_accelerators()))}
    # The bare name of a family with several members means the member that names usually mean.
    return MappingProxyType(keys | {"a100": "A100-40GB", "h100": "H100", "v100": "V100"})


def resolve(name: str) -> AcceleratorName:
    """As `find`, but raises `InputError` with the nearest name for an accelerator that is not known."""
    found = find(name)
    if found is not None:
        return found
    near = nearest(name)
    fix = f"did you mean {near}?" if near else "write for example H100, TPU-v5p or Trainium2"
    raise InputError(f"unknown accelerator {name!r}", fix=fix)


def nearest(name: str) -> str:
    """The known name closest in spelling; empty where none is close."""
    known_names = list(load_accelerators())
    by_text = {canonical_key(known) or known.lower(): str(known) for known in reversed(known_names)}
    by_text |= {known.lower(): str(known) for known in known_names}
    near = difflib.get_close_matches(name.lower(), by_text, n=1, cutoff=0.5)
    near = near or difflib.get_close_matches(canonical_key(name), by_text, n=1, cutoff=0.5)
    return by_text[near[0]] if near else ""


def accelerator_facts(name: str) -> Accelerator:
    """The datasheet facts of an accelerator by any of its names; raises `InputError` if unknown."""
    return load_accelerators()[resolve(name)]


def peak_tflops(accelerator: Accelerator) -> tuple[float, str] | None:
    """Peak dense TFLOP/s per chip and its precision: bf16, else fp16, else fp8; None where none is known."""
    for peak, precision in (
        (accelerator.peak_dense_bf16_tflops, "bf16"),
        (accelerator.peak_dense_fp16_tflops, "fp16"),
        (accelerator.peak_dense_fp8_tflops, "fp8"),
    ):
        if peak is not None:
            return peak, precision
    return None


def effective_tflops(accelerator: Accelerator, mfu_frac: float) -> float:
    """Peak x MFU, in TFLOP/s per chip. Raises `InputError` where the datasheet states no peak."""
    if not 0.0 < mfu_frac <= 1.0:
        raise InputError(f"an MFU of {mfu_frac} is not a share", fix="write a number above 0 and up to 1")
    peak = peak_tflops(accelerator)
    if peak is None:
        raise InputError(f"no peak FLOP/s is known for {accelerator.name}", fix="state a throughput instead")
    return peak[0] * mfu_frac
