"""Adapter: a webhook that gets changes and refusals, as plain JSON or as a card for Teams."""
