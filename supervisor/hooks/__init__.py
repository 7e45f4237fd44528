"""Opt-in hooks: an agent's own hook configuration made to tell us who waits for a person, and nothing else."""
