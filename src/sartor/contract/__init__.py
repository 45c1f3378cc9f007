"""The contract of a personalizable file: names, signatures, manifest and digests."""
