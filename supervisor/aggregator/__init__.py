"""The board's mind, pure: ledger, merge, lifecycle, health, and the aggregator that joins them."""
