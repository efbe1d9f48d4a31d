"""
The prompt graph: values, views of the graph, pure edits.
"""
