"""The history: reading events, deliveries and records, replaying them, and pruning them.

``deliveries`` reads pages, ``search`` searches, ``standing`` says what a delivery waits for,
``status`` counts, ``leftovers`` finds open deliveries. ``replay`` and ``prune`` change the history.
"""
