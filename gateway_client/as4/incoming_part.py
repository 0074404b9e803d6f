"""One payload on its way in: decrypt, digest, decompress, write."""

from __future__ import annotations

from connector.errors import ConnectorError, unacceptable
from gateway_client.as4.compression import Gunzip
from gateway_client.as4.encryption import Decryptor
from gateway_client.as4.octets import Digest
from gateway_client.model import PayloadSource, PayloadWriter


class IncomingPart:
    """Takes a MIME part's bytes; its content can be committed after `close` has returned."""

    def __init__(
        self,
        content_id: str,
        writer: PayloadWriter,
        digest: Digest,
        expected: bytes,
        *,
        decryptor: Decryptor | None,
        compressed: bool,
        media_type: str,
        limit: int,
    ) -> None:
        """`limit` is the most that the payload may have, in bytes as the application sees it."""
        self.content_id = content_id
        self.media_type = media_type
        self.written = 0
        self._writer = writer
        self._digest = digest
        self._expected = expected
        self._decryptor = decryptor
        self._gunzip = Gunzip(limit) if compressed else None
        self._limit = limit
        self._failure: ConnectorError | None = None

    def feed(self, data: bytes) -> None:
        """The next bytes as they travel."""
        if self._decryptor is not None:
            data = self._decryptor.feed(data)
        self._digest.update(data)
        if self._failure is not None:
            return
        try:
            if self._gunzip is None:
                self._write(data)
            else:
                for piece in self._gunzip.feed(data):
                    self._write(piece)
        except ConnectorError as error:
            # What was altered seldom decompresses: tag and digest have the first word on it.
            self._failure = error

    def close(self) -> None:
        """The part is complete: everything about it must be right.

        Raises `as4.decryption-failed`, `signature.digest-mismatch`, `as4.decompression-...`,
        `as4.payload-too-large`, and what the writer raised.
        """
        if self._decryptor is not None:
            self._decryptor.close()
        if not self._digest.matches(self._expected):
            raise unacceptable(
                "signature.digest-mismatch",
                f"The payload {self.content_id!r} is not what was signed: its digest differs.",
                mend="It was altered on the way. Ask for it again.",
            )
        if self._failure is not None:
            raise self._failure
        if self._gunzip is not None:
            for piece in self._gunzip.close():
                self._write(piece)

    def commit(self) -> PayloadSource:
        """Make the content durable."""
        return self._writer.commit()

    def abort(self) -> None:
        """Discard what was written."""
        self._writer.abort()

    def _write(self, data: bytes) -> None:
        self.written += len(data)
        if self.written > self._limit:
            raise unacceptable(
                "as4.payload-too-large", f"The payload {self.content_id!r} is too large."
            )
        if data:
            self._writer.write(data)
