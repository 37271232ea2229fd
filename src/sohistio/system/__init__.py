"""This machine: files, processes, signals, streams, encryption."""
