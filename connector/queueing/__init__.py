"""Jobs in lanes by urgency: one behaviour, two engines.

`open.open_queue("embedded" or an amqp:// URL, store)` is the way in; what it returns implements
`connector.exchange.ports.Queue`. `retry.py` holds the policy, and imports nothing of the engines.
"""
