"""All that leaves the hub: where it may go, how its bytes travel, and what is kept of it.

``guard`` judges targets, ``passage`` knows what a hook may reach; ``transport`` carries a call: an
ordinary one over a ``line``, any other ``over_requests``, both on a ``connection`` that the guard
has seen. ``files`` knows the attachments, ``trace`` keeps what an attempt's calls were.
"""
