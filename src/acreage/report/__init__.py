"""Plans shown and kept: on the terminal, as one HTML page, as tables, in notebooks, and as files."""
