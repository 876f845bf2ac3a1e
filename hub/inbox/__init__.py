"""The inbox: takes webhooks from sources and writes down what happened before it answers."""
