"""All environments side by side: what is known of each, its state in a word, and what changed between two looks. Pure."""
