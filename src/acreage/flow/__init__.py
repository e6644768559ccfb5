"""The imperative shell: the only place where stages meet; it supplies the clock, files and randomness."""
