"""What each word of the command line does: one file a word, and `dispatch.py`, which finds it."""
