"""Reads prices in the shapes that providers publish: one file per feed, one line in the registry."""
