"""Facts that ship inside the package; SOURCES.md names where each came from."""
