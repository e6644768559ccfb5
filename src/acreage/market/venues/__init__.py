"""Venues where capacity changes hands: the seam through which any of them plugs in, and an order book in memory."""
