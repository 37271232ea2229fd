"""Adapter: a webhook that is told of changes and refusals, as plain JSON or as a card for Teams."""
