"""The supervisor: it starts the workers, keeps the board, and answers."""
