"""Planners of images: which ones a version needs, where they are published and mirrored. Pure."""
