"""The live board as values: what is shown where, in which words and which ink. `supervisor/live` draws it."""
