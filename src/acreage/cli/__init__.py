"""The command line: options and words; the work is done by flow."""
