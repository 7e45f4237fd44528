"""The demo: simulated agents that write as the real clients write, read by the real pipeline."""
