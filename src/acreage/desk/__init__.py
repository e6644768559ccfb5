"""The lessor's desk: which requests to accept, at what price, without failing the anchor tenant."""
