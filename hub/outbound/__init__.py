"""All that leaves the hub: where it may go, how its bytes travel, and what is kept of it.

``guard`` judges targets, ``transport`` and ``line`` carry a call there, ``files`` brings
attachments, ``trace`` keeps what an attempt's calls were.
"""
