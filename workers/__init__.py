"""One process a source: it asks its source what is new and tells the board."""
