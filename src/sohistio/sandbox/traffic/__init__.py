"""Traffic for the sandbox: Envoys for gateway pods, load balancers that pass bytes, backends, a name server."""
