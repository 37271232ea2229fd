"""Getting the istioctl of a version: mirror, download, checked unpacking, cache and pins."""
