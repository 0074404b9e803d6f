"""The access point of eDelivery AS4: `client.As4Client` sends, `endpoint.as4_app` receives.

Sans-I/O inside: `send.prepare` makes a message ready to travel, `receive.Reception` takes one apart
as its bytes come; `soap`, `ebms*`, `wss*`, `receipt` and `signals` are the layers they are made of.
"""
