"""The sealed container of a message: ASiC-S (EN 319 162-1) with its TrustOK token."""
