"""What attention is, and how far a correct answer may stray from it. Read alone, this folder is the specification."""
