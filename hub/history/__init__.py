"""What was: reading events, deliveries and records, doing them once more, and letting them go.

``deliveries`` reads page by page, ``search`` finds, ``standing`` says what a delivery waits for,
``status`` counts, ``leftovers`` are what is owed still; ``replay`` and ``prune`` change it.
"""
