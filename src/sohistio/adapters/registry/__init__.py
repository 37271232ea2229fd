"""Adapter: container registries, by the distribution API over verified TLS, and the tools that copy between them."""
