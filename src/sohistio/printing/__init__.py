"""The way out of everything that is printed or logged; `streams` says how nothing can go round it."""
