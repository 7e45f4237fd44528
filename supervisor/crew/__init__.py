"""The workers as the supervisor sees them: when to start and restart which, and how."""
