"""Review: which windows people listen to, what they answer, and what the answers say about the model.

Answers are kept in a folder of each review, outside the workflow, and merged into a table that the workflow reads.
"""
