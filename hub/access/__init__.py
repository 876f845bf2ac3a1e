"""Who may do what: people, roles, sessions, tokens, and the gate that every page passes.

The dashboard, the API and the command line all go through these modules.
"""
