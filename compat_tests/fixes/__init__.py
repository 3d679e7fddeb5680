"""`tornado4 fix` held against what people did by hand, and run on programs of others."""
