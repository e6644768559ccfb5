"""What to ask: prices that follow stock and time, tariffs, and take-up curves learnt from what was answered."""
