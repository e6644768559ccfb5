"""How many units to keep for dearer tiers, how far to promise more than there is, what a recall right is worth."""
