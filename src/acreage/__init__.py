"""Acreage: plan, lease and run AI compute across many providers.

The package's rooms and the direction in which they may import each other are described in
docs/why/house.md; import-linter holds them to it.
"""

__version__ = "0.1.0"
