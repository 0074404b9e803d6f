"""The life of a message, from acceptance to the last evidence.

Read `states.py` first: every state, every event and what it does, as one table. `worker.py`
does the step that a message's state calls for (`departure`, `arrival`, `handover`, `attestation`),
`transition.py` commits it, `ports.py` says what the exchange needs of store, queue and backend.
"""
