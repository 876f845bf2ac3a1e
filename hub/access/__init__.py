"""Who may do what: people, roles, sessions, tokens, and the gate that checks every request.

The dashboard, the API and the command line all use these modules.
"""
