"""What proves a plugin: a context in memory, the conformance kit, the crash harness, the report.

Its public names are those of ``hub.sdk.testing``.
"""
