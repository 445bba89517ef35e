"""Defects that change no result, each with the reason: no test can see them."""

#: By the name of the defect.
EQUIVALENT = {}
