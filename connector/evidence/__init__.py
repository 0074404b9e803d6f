"""ETSI REM evidences (TS 102 640-2): the signed statements about what became of a message."""
