"""Demand in other tools' formats."""
