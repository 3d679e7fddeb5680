"""A mixed fleet: one application on the real 4.5.3, on tornado4 and on the real 6.6.1, and sessions that all share."""
