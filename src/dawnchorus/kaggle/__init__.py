"""What only a Kaggle competition needs: the download and the submission.

No other room imports this one.
"""
