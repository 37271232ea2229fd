"""All environments side by side: what is known of each, its state in a word, what changed between two looks. Pure."""
