"""The environments: their files read in layers, validated, and rendered into one IstioOperator."""

import os

# What else is installed here has no say in what a file means; and to ask every package for plugins takes a while.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
