"""CRM Hub: keeps any number of CRM and ITSM systems true to a team's customer events."""

__version__ = "0.1.0"
