"""Plans tried on futures they were not made on: beside spreadsheets, foresight, and the sample's own error."""
