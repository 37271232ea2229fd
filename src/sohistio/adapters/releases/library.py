"""What is imported late to fetch something over https; to be imported by one thread alone."""

import httpx
import tenacity

__all__ = ["httpx", "tenacity"]
