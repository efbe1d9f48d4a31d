"""
A language server for graphs in JSON: findings as you type, hover, links, repairs, completion.

It speaks the Language Server Protocol 3.17. Everything but `server` is plain functions on text.
"""
