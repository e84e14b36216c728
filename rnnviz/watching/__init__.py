"""Watching the training of somebody's network: what the frameworks' layers compute becomes a recording."""
