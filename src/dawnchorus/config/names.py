"""Names that parameters and paths of results share. It imports nothing: the start of each stage reads it."""

# What the student is called beside the members.
STUDENT = "student"
