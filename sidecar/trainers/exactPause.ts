import { bridge } from '../bridge.js';

/**
 * Does a command start a trainer whose steps are absolute, also after a resume? The starter of exact pause sees to that
 * for sd-scripts (trainer-bridge/trackside/exact.py), a flag for the practice trainer.
 */
export function countsAbsolutely(argv: readonly string[]): boolean {
  return (argv.includes(bridge.exact) && !argv.includes('--multi_gpu')) || argv.includes('--exact_pause');
}
