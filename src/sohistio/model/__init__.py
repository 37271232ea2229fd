"""What is seen, wanted and recorded. Plain data."""
