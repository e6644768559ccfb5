"""Auctions one runs oneself: who wins, what they pay and why, for lots sold (forward) or wanted (reverse)."""
