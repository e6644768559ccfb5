"""Requests for quotes: what is asked, where each stands, what answers cost, what to counter and what to award."""
