"""What to do without any forecast: policies whose worst case against perfect foresight is known."""
