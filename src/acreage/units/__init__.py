"""What a number means: money, instants, durations, quantities, ids and errors.

Everything here is pure and imports nothing of Acreage.
"""
