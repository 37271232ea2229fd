"""What must hold before a run and after it; a check is a function and a row."""
