"""Looking and planning: a session's cluster is seen, its manifests rendered, and a pure planner makes the Plan."""
