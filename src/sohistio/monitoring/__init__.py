"""What watches the mesh: its objects, its alerts, what dashboards show. Pure."""
