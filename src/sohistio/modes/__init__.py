"""Pure planners: what was seen and what is wanted in, a Plan out. No clock, no network, no environment variable."""
