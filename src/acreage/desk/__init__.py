"""The lessor's side of the table: what to keep, what to lease, at what price, and to whom."""
