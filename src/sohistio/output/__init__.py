"""What people and machines read: tables, progress, JSON."""
