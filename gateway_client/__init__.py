"""AS4 gateways, ours and others', behind one protocol. Knows nothing of legal assistance."""
