"""Failover: whether the DNS record may be switched. Pure."""
