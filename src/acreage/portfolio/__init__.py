"""The document users write: YAML in, a `Portfolio` out, and errors that say file, line and column."""
