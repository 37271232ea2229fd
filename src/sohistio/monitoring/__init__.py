"""The mesh's eyes: what dashboards show. Pure."""
