"""The pairs of the rules' table, run: *before* on Tornado 4.5.3 and tornado4, *after* on Tornado 6 and tornado4."""
