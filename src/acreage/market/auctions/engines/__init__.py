"""Solvers of winner determination, one file each."""
