"""One file per command: its options and a short body."""
