"""Explanations computed inside a network instead of by asking a black box.

A network behind preprocessing becomes a `Game` (see `game` and `source`); methods play
it, a file each.
"""
