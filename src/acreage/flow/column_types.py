"""The JSON types that a listing's columns can have."""

TEXT, COUNT, NUMBER, YES = "string", "integer", "number", "boolean"
