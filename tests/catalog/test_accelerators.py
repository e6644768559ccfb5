"""Accelerators are known by their many names, with datasheet facts, and never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acreage.catalog.accelerators import (
    accelerator_facts,
    effective_tflops,
    find,
    load_accelerators,
    peak_tflops,
    resolve,
)
from acreage.catalog.names import split_slice
from acreage.catalog.regions import areas_of, matches, matching
from acreage.units.errors import InputError


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("H100 80GB HBM3", "H100"),
        ("NVIDIA-H100-80GB-HBM3", "H100"),
        ("H100_SXM", "H100"),
        ("h100 nvl", "H100-NVL"),
        ("H100 PCIe", "H100-PCIe"),
        ("A100", "A100-40GB"),
        ("A100-SXM4-80GB", "A100-80GB"),
        ("A100 80GB PCIe", "A100-80GB-PCIe"),
        ("Tesla V100 SXM2 16GB", "V100"),
        ("V100-32GB", "V100-32GB"),
        ("TPU v5p", "TPU-v5p"),
        ("tpu-v5-lite", "TPU-v5e"),
        ("Trillium", "TPU-v6e"),
        ("TPU7x", "TPU-v7"),
        ("Ironwood", "TPU-v7"),
        ("Trn2", "Trainium2"),
        ("Trainium 2", "Trainium2"),
        ("Maia 200", "Maia200"),
        ("GB200 NVL72", "GB200"),
        ("RTX PRO 6000 Blackwell Server Edition", "RTXPRO6000"),
    ],
)
def test_names(name: str, canonical: str) -> None:
    """Each spelling seen in the wild names its chip."""
    assert resolve(name) == canonical


@pytest.mark.parametrize("name", ["K80", "A6000", "RTX-6000-Ada", "H1000", "T4G", "", "GPU", "tpu-v3", "RTX4090"])
def test_other_chips_are_not_taken_for_ours(name: str) -> None:
    """A chip that is not in the table is no chip of the table."""
    assert find(name) is None


@given(st.sampled_from(sorted(load_accelerators())), st.sampled_from(["NVIDIA {}", "{} GPU", "  {}  "]))
def test_makers_and_case_do_not_matter(name: str, pattern: str) -> None:
    """A canonical name in any case, with a maker's name or none, is itself."""
    assert find(pattern.format(name.lower())) == name


@pytest.mark.parametrize(("name", "near"), [("H10", "H100"), ("Trainum2", "Trainium2"), ("TPU-v5q", "TPU-v5p")])
def test_unknown_names_the_nearest(name: str, near: str) -> None:
    """A slip of the pen is answered with the nearest name."""
    with pytest.raises(InputError, match=rf"did you mean {near}\?"):
        resolve(name)


def test_effective_flops() -> None:
    """H100 at 40 % MFU gives 395.76 TFLOP/s; Maia 200 counts by fp8; a chip without peak is refused."""
    assert effective_tflops(accelerator_facts("H100"), 0.4) == pytest.approx(395.76)
    assert peak_tflops(accelerator_facts("Maia200")) == (5000.0, "fp8")
    with pytest.raises(InputError, match="no peak"):
        effective_tflops(accelerator_facts("RTXPRO6000"), 0.4)
    with pytest.raises(InputError, match="not a share"):
        effective_tflops(accelerator_facts("H100"), 40)


@pytest.mark.parametrize(
    ("name", "chips"),
    [("tpu-v5p-12288", 6144), ("tpu-v4-8", 4), ("tpu-v6e-8", 8), ("tpu-v5litepod-16", 16), ("H100", 1)],
)
def test_slices(name: str, chips: int) -> None:
    """TPU slices are named by cores or by chips, by generation."""
    assert split_slice(name)[1] == chips


@pytest.mark.parametrize(
    ("region", "wanted"),
    [
        ("us-east-1", "us"), ("us-central1", "us"), ("eastus", "us"), ("westus2", "us"),
        ("northcentralus", "us"),
        ("austin-usa-1", "us"), ("Texas/US/NA", "us"), ("US-EAST-04A", "us"), ("us-east-1", "us-east"),
        ("northeurope", "europe"), ("Sweden/SE/EU", "europe"), ("FIN-03", "europe"), ("uksouth", "uk"),
        ("asia-northeast1", "japan"), ("japaneast", "asia"), ("australiaeast", "oceania"),
        ("il-central-1", "middle-east"),
        ("canadacentral", "north-america"), ("global", "us"),
    ],
)  # fmt: skip
def test_regions_lie_where_they_lie(region: str, wanted: str) -> None:
    """Every provider's spelling is found by the area asked for."""
    assert matches(region, wanted)


@pytest.mark.parametrize(
    ("region", "wanted"),
    [
        ("australiaeast", "us"),
        ("austriaeast", "australia"),
        ("eu-west-1", "us"),
        ("northamerica-northeast1", "us"),
    ],
)
def test_regions_do_not_lie_elsewhere(region: str, wanted: str) -> None:
    """Letters within a word do not make a place."""
    assert not matches(region, wanted)


def test_unknown_region_names_the_nearest() -> None:
    """A region of no provider is refused with the nearest one."""
    with pytest.raises(InputError, match="did you mean us-east-1"):
        matching(["us-east-1", "global"], "us-eats-1")
    assert areas_of("nowhere") == frozenset()
