"""What `bellboard doctor` looks at: each file knows one part, and returns findings, each with what mends it."""
