"""What a check, an exit code, an error or an alert means: found in the documentation itself."""
