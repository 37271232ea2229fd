"""The plan: its steps, what it changes, and how two of them differ. Plain data."""
