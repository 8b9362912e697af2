"""The command line: the flags of sd-scripts' train_network.py that matter here, with its defaults (train_util.py:3794)."""

import argparse

SLOW_MACHINE = """\
environment variables (they imitate a slow machine or a quick one, for demonstrations and tests):
  PRACTICE_STEP_SECONDS   each optimizer step takes at least this many seconds
  PRACTICE_SAVE_SECONDS   saving a state folder takes at least this many seconds, and weights a fifth of it; the file stays half-written meanwhile
  PRACTICE_PATCHES        each picture of a batch is looked at in so many places (default: 80); with fewer a step takes less of the processor
"""


def read_arguments(argv: list[str]) -> argparse.Namespace:
    """Reads the flags. An unknown flag or a value of a wrong type prints a usage error and ends the process with exit code 2."""
    return build_parser().parse_args(argv)


def build_parser() -> argparse.ArgumentParser:
    """The parser with all flags. As in sd-scripts, none is required by the parser itself."""
    parser = argparse.ArgumentParser(
        prog="practice_train_network.py",
        description="Train a small, real LoRA on your pictures in plain Python: no GPU, no model, nothing to install.",
        epilog=SLOW_MACHINE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_and_network(parser)
    add_length(parser)
    add_saving(parser)
    add_resuming(parser)
    add_watching(parser)
    return parser


def add_data_and_network(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data and network")
    group.add_argument("--dataset_config", metavar="FILE", help="dataset.toml that names the folders of pictures")
    group.add_argument("--network_dim", type=positive, metavar="N", help="rank of the LoRA (default: 4)")
    group.add_argument(
        "--network_alpha", type=float, default=1, metavar="X", help="the LoRA is scaled by alpha/rank (default: 1)"
    )
    group.add_argument(
        "--learning_rate", type=float, default=4e-3, metavar="X", help="learning rate of AdamW (default: 4e-3)"
    )
    group.add_argument(
        "--seed", type=int, metavar="N", help="seed of weights, noise and picture order (default: random)"
    )


def add_length(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("length of the training")
    group.add_argument(
        "--max_train_steps", type=positive, default=1600, metavar="N", help="optimizer steps to train (default: 1600)"
    )
    group.add_argument(
        "--max_train_epochs", type=positive, metavar="N", help="epochs to train; overrides --max_train_steps"
    )
    group.add_argument(
        "--gradient_accumulation_steps",
        type=positive,
        default=1,
        metavar="N",
        help="batches in one optimizer step (default: 1)",
    )


def add_saving(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("saving")
    group.add_argument(
        "--output_dir", metavar="DIR", help="folder for checkpoints, states and samples; created if missing"
    )
    group.add_argument(
        "--output_name", metavar="NAME", help="first part of every file name (default: last, epoch-…, at-step…)"
    )
    group.add_argument(
        "--save_every_n_epochs",
        type=positive,
        metavar="N",
        help="save a checkpoint every N epochs (not for the last one)",
    )
    group.add_argument("--save_every_n_steps", type=positive, metavar="N", help="save a checkpoint every N steps")
    group.add_argument(
        "--save_last_n_epochs", type=positive, metavar="N", help="keep only the last N epoch checkpoints"
    )
    group.add_argument(
        "--save_last_n_epochs_state",
        type=positive,
        metavar="N",
        help="keep only the last N epoch states (default: --save_last_n_epochs)",
    )
    group.add_argument(
        "--save_state", action="store_true", help="save a state folder together with every checkpoint, and at the end"
    )
    group.add_argument("--save_state_on_train_end", action="store_true", help="save a state folder at the end")


def add_resuming(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("resuming")
    group.add_argument("--resume", metavar="DIR", help="state folder to resume from")
    group.add_argument(
        "--initial_epoch",
        type=positive,
        metavar="N",
        help="epoch to start with, 1 is the first (default: from the state's step)",
    )
    group.add_argument(
        "--exact_pause",
        action="store_true",
        help="pause after any step at SIGTERM, go on bit for bit, and count steps over all runs",
    )


def add_watching(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("samples and logs")
    group.add_argument(
        "--sample_prompts", metavar="FILE", help=".txt (one prompt per line), .toml or .json file of prompts"
    )
    group.add_argument(
        "--sample_every_n_epochs", type=positive, metavar="N", help="draw samples every N epochs; wins over steps"
    )
    group.add_argument("--sample_every_n_steps", type=positive, metavar="N", help="draw samples every N steps")
    group.add_argument("--sample_at_first", action="store_true", help="draw samples before the first step, too")
    group.add_argument(
        "--logging_dir", metavar="DIR", help="folder for TensorBoard event files (default: none are written)"
    )
    group.add_argument("--log_prefix", metavar="TEXT", help="prefix of the log folder's name")


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


positive.__name__ = "int"  # argparse puts the name into its message: "invalid int value"
