"""Tools that bring a Tornado 4 application here, and stand on tornado4's public modules.

    alias      the name ``tornado`` for ``tornado4``
    backfill   standard-library names that current Pythons dropped
    run        ``tornado4 run``: a program, started as ``python`` would, with the alias in place
    commands   the subcommands of ``tornado4``

Nothing outside this package imports it.
"""
