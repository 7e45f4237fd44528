"""What people and programs see. Views are subscribers like any other: they import the protocol only."""
