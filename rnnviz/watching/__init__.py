"""Watching the training of other people's networks: what the frameworks' layers compute becomes a recording."""
