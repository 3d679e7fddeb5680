"""A shop that was written for Tornado 4: docs/fix.md takes it to Tornado 6."""
