"""A Ray cluster's crew, and all that knows of Ray: `client` asks, `worker` is asked, `head` is a cluster of one."""
