"""TrustOkToken.pdf: the token for people, one page, signed PAdES baseline B (EN 319 142-1).

pyHanko signs any PDF, but takes twenty milliseconds where one signature is all that is needed; the
file is made with room for its signature, and the tests have pyHanko verify it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from connector.container.cms import CmsSigner
from connector.container.pdf_file import signable_pdf
from connector.container.token import Token
from connector.container.token_page import page_content

_ROOM: Final = 1024
"""Bytes for the signature beside its certificates."""


def token_pdf(token: Token, signer: CmsSigner, signing_time: datetime) -> bytes:
    """The signed PDF. `signer` is made once for each key (`cms.cms_signer`)."""
    pdf = signable_pdf(
        page_content(token),
        title=f"Trust-Ok Token: {token.document.filename}",
        moment=signing_time,
        room=len(signer.certificates) + _ROOM,
    )
    return pdf.signed(signer.signature(pdf.before, pdf.after))
