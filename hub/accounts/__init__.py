"""What an operator sets up: accounts, their sources and their hooks.

The command line, the API and the dashboard all go through these functions.
"""
