"""The nouns: frozen dataclasses and table schemas, with no behaviour beyond validation."""
