"""Where messages are kept: records in SQLite or PostgreSQL, payloads as content-addressed files.

`open_store(url, payload_folder)` is the way in; what it returns implements
`connector.exchange.ports.Store`.
"""

from connector.store.sql_store import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
