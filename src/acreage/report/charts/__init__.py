"""Charts of a plan, written once in Altair for report, notebook and console alike."""
