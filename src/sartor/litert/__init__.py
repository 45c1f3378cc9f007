"""LiteRT: check a file before it is loaded, create interpreters, call signatures.

Other packages use LiteRT only through this one. Importing it does not import LiteRT.
"""
