"""Adapter: httpx. Requests that show which environment answers, sent to an address that is given."""
