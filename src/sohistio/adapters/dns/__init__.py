"""DNS: the record that a failover switches. The only package that knows a DNS library."""
