"""The dossier of a case: what a judge gets, sealed so that it can be checked years later.

    dossier.json                     what is inside, every file with its SHA-256
    chain-of-custody.html, .pdf      each transfer: by whom, when, signed with what, valid why
    case.jsonld                      the evidence items and their provenance (CASE/UCO)
    messages/01-Request-<id>/        original, attachments, delivered document, proofs, evidences
    validation/…                     a report after ETSI TS 119 102-2 for each signed file

It is an ASiC-E container; its signature is at level LTA where a timestamp authority is configured.
"""
