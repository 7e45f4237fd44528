"""Telling a person what the board knows: once per change, and taken back when it is no longer so."""
