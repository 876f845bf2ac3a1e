"""Secrets at rest, and which addresses the hub may call."""
