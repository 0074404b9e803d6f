"""Signatures, and whether they may be believed: XMLDSig, XAdES, keys, trust, timestamps.

    xades.py              making and verifying signatures of level B: what the exchange uses
    xades_levels.py       raising them to T, LT and LTA; xades_packaging.py, xades_several.py: forms
    xmldsig.py, dsig_*    the layer below, with its closed list of transforms and algorithms
    keys.py, *_keys.py    the one place that touches private keys: files, tokens, signing services
    trust.py, trusted_*   whose certificates count; revocation*.py: and whether they still do

Which indication a signature gets after EN 319 102-1 is said in `connector/validation`.
"""
