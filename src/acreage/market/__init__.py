"""Asking several vendors at once: requests for quotes, comparing, countering, awarding, auctions and venues."""
