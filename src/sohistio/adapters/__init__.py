"""The outside world: each third party is known to one package only."""
