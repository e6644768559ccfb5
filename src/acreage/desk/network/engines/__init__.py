"""The solver behind the linear programs of a network."""
