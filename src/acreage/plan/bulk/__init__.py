"""What-ifs in bulk on one session: every re-solve starts from the plan and from all cuts that are known."""
