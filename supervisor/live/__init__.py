"""The live board's shells: they listen to a board, take keys, and draw. What is drawn is decided in `views/board`."""
