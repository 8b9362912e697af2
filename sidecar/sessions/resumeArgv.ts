/** Where the session's own files lie. */
const PLACES = ['--output_dir', '--dataset_config', '--sample_prompts', '--logging_dir'];

/**
 * The command of a resume: the flags of the session's last start, with the state folder, the explicit first epoch and
 * the number of epochs. The program before the flags, and the places of the session's own files, are today's: the pod
 * may have been rebuilt around the outputs, and the outputs may have been moved or copied.
 *
 * `--initial_epoch` is always given, because a state saved by a resumed run holds a too small step, from which
 * sd-scripts would begin too early (train_network.py:1275, :1416).
 */
export function resumeArgv(
  started: readonly string[],
  fresh: readonly string[],
  resume: { statePath: string; firstEpoch: number; epochs: number },
): string[] {
  const set = ['--resume', '--initial_epoch', '--max_train_epochs'];
  const today = flagsOf(fresh);
  const kept = flagsOf(started)
    .filter((token) => !set.some((flag) => isOf(flag, token)))
    .map((token) => {
      const place = PLACES.find((flag) => token.startsWith(`${flag}=`));
      return (place && today.find((each) => isOf(place, each))) ?? token;
    });
  return [
    ...fresh.slice(0, fresh.length - today.length),
    ...kept,
    `--max_train_epochs=${resume.epochs}`,
    `--resume=${resume.statePath}`,
    `--initial_epoch=${resume.firstEpoch}`,
  ];
}

function isOf(flag: string, token: string): boolean {
  return token === flag || token.startsWith(`${flag}=`);
}

/** What follows the script. */
function flagsOf(argv: readonly string[]): string[] {
  return argv.slice(argv.findIndex((token) => token.endsWith('.py')) + 1);
}
