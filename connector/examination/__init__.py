"""Looking at documents of any kind for a person: what a file is, whether it follows its rules, who
signed it, what it holds, what it becomes in another format.

Nothing here changes anything, and nothing here needs a running connector: the command line and the
console show what these modules find.
"""
