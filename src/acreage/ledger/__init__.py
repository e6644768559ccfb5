"""What is held and owed: one dated, priced record from offer to invoice, for both sides of a lease.

`facts` are appended to hash-linked chains and never changed; everything else is derived from them.
`journals` keep the chains (SQLite, PostgreSQL), `pool_book` derives the free capacity of a pool,
`ledger` ties both together, and the verbs stand in `holds`, `contracts`, `deliveries` and `billing`.
"""
