"""How documents that arrived go out to the national system; each way implements `Backend`.

`folder.FolderBackend` places each message in a folder of its own, and its evidences beside it.
"""
