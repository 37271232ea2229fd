"""Traffic between two sides: the plans, when it must not move, whether a standby is ready. Pure."""
