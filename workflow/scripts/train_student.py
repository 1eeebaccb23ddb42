"""Train the student: one network that learns from the ensemble, on all training recordings.

Its targets are the annotations and, where there is none, the scores by the models of the last round that were not
trained on the recording. Beside the windows around boxes, each epoch has windows at random places of all recordings. It
starts from random weights, and learns for longer than a network of the ensemble: it has more to learn from.
"""

import argparse

from dawnchorus.cli import run
from dawnchorus.config.names import STUDENT
from dawnchorus.workflow.training_task import add_training_options, run_training

# Loss weight of pseudo-labels.
WEIGHT = 1.0
# Number of epochs, as a multiple of `train.epochs`.
TIMES_EPOCHS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_training_options(parser)
    arguments = parser.parse_args()
    run_training(arguments, f"train_student@{arguments.backbone}", STUDENT, None, WEIGHT, times_epochs=TIMES_EPOCHS)


if __name__ == "__main__":
    run(main)
