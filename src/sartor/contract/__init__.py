"""The contract between a personalizable file and every runtime: names, signatures, manifest, digests."""
