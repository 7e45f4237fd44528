"""The board of all machines: what each says goes to an engine, and from there to whoever looks."""
