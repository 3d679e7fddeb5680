"""The notice board's handlers as they have moved: Tornado 6."""
