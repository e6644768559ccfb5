"""An accelerator is a chip type with its datasheet facts; unknown facts are None, never zero."""

from dataclasses import dataclass

from acreage.units.ids import AcceleratorName


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """Datasheet facts of one chip; peaks are dense, in TFLOP/s per chip, memory as printed by the vendor."""

    name: AcceleratorName
    vendor: str
    architecture: str
    peak_dense_fp16_tflops: float | None
    peak_dense_bf16_tflops: float | None
    peak_dense_fp8_tflops: float | None
    hbm_gib: float | None
    memory_type: str
    hbm_tb_per_s: float | None
    scale_up_link: str
    scale_up_gb_per_s: float | None
    scale_up_domain_accelerators: int | None
    tdp_w: float | None
    source: str
    notes: str
