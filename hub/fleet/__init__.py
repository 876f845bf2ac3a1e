"""The processes of a hub: what each runs, and who starts, watches and replaces them."""
