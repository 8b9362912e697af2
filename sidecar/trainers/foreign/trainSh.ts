import { trainerOfCommand } from '../recordTrainer.js';
import { shellWords } from '../script/shellWords.js';
import { saidInFlags } from './kohyaConfig.js';
import { type ForeignFile, ForeignFileError } from './said.js';

/**
 * The flags of the first training in a shell script (FluxGym's train.sh, train.bat, or ours). Nothing of it is run: only
 * words of one line are read, in which no variable and no command is filled in. Throws a ForeignFileError without one.
 */
export function readTrainScript(text: string): ForeignFile {
  // A line goes on behind a backslash, on Windows behind a caret.
  const lines = text.replace(/[\\^][ \t]*\r?\n/g, ' ').split(/\r?\n/);
  for (const line of lines) {
    if (line.trimStart().startsWith('#')) continue;
    const words = shellWords(line);
    const script = words.findIndex((word) => /train_network\.py$/.test(word));
    if (script < 0) continue;
    const flags = words.slice(script + 1);
    const end = flags.findIndex((word) => /^(?:[|;&]|\d?>)/.test(word));
    const own = end < 0 ? flags : flags.slice(0, end);
    return { kind: 'a training script', trainer: trainerOfCommand(words), said: saidInFlags(own) };
  }
  throw new ForeignFileError('It runs no *_train_network.py, so it has no settings for a LoRA.');
}
