"""Encryption of stored secrets, cookies, and security headers."""
