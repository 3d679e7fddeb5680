"""What ``tornado4 check`` says of old packages, held against what is true of them.

``packages.tsv`` names source distributions, ``labels.tsv`` positions in them with a verdict, made from their source
before a check had read it. ``precision`` compares. No code of theirs is kept here: it is fetched.
"""
