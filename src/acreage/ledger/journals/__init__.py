"""Where facts are kept: one file an engine, the same schema and the same behaviour in each."""
