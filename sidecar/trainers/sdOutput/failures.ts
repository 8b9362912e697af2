import { createHash } from 'node:crypto';
import type { Exit } from '../dialect.js';
import { errorTail } from './errorTail.js';

/** Why a training ended: a code to compare, and one or two sentences with what to do. */
export type Cause = { code: string; words: string };

/**
 * Why a training ended, from the last part of its log. Behind `accelerate
 * launch` the cause is the last exception before the launcher's own, and a signal shows only in the launcher's text
 * (sd-scripts.md, section 4). Null when nothing can be said beyond the exit itself; after exit 0 only known causes count.
 */
export function explainEnd(logTail: string, exit: Exit): Cause | null {
  if (exit.oomKilled) return OUT_OF_RAM;
  const { exception, loadingTokenizer, usage, noData, noNetwork, signal: childSignal, lastLine } = errorTail(logTail);
  if (noData) return NO_DATA;
  if (exit.code === 0 && noNetwork) return { ...NO_NETWORK, words: fill(NO_NETWORK.words, noNetwork) };
  if (exception && loadingTokenizer) return NO_TOKENIZER;
  const cause = exception ?? usage;
  const known = cause && CAUSES.find(([pattern]) => pattern.test(cause));
  if (known) {
    const [whole, first] = known[0].exec(cause) ?? [];
    return { code: known[1], words: fill(known[2], first, whole) };
  }
  const signal = exit.signal ?? childSignal;
  if (signal === 'SIGKILL' && exit.oomKills === 0) return KILLED;
  const bySignal = signal && BY_SIGNAL[signal];
  if (bySignal) return bySignal;
  if (exit.code === 0) return null;
  if (cause) {
    const name = /[\w.]+/.exec(cause)?.[0].split('.').at(-1);
    const code = `exception:${name}:${fingerprint(firstLine(cause))}`;
    return { code, words: `The trainer stopped with an error: ${shortened(firstLine(cause))}` };
  }
  if (signal) return { code: `signal:${signal}`, words: `The trainer was ended by ${signal}.` };
  if (exit.code === null || lastLine === null) return null;
  const words = `The trainer ended with exit code ${exit.code}. Its last words: “${shortened(lastLine)}”`;
  return { code: `exit:${exit.code}:${fingerprint(lastLine)}`, words };
}

/**
 * What speaks against starting again by itself what ended so: an error that would only repeat (usage, no data, a missing
 * file or module, another network, a full disk), or somebody's hand (SIGTERM, Ctrl-C). Null for all that may pass.
 */
export function whyNotAgain(logTail: string, exit: Exit): 'repeats' | 'by hand' | null {
  if (exit.oomKilled) return null;
  const { exception, usage, noData, signal: childSignal } = errorTail(logTail);
  if (noData) return 'repeats';
  const cause = exception ?? usage;
  if (BY_HAND.test(exit.signal ?? childSignal ?? '') || /^KeyboardInterrupt/.test(cause ?? '')) return 'by hand';
  const known = cause && CAUSES.find(([pattern]) => pattern.test(cause));
  if (known) return known[3] ?? null;
  // What ends without an error, and without its weights, does so again.
  return exit.code === 0 || /^(?:SyntaxError|IndentationError|ImportError)\b/.test(cause ?? '') ? 'repeats' : null;
}

const BY_HAND = /^SIG(?:TERM|INT|HUP|QUIT)$/;

const OUT_OF_RAM: Cause = {
  code: 'out_of_memory',
  words:
    'The pod ran out of memory (RAM), and the kernel ended the trainer. Use fewer loader workers, or a pod with more memory, then resume.',
};
const KILLED: Cause = {
  code: 'killed',
  words: "The trainer was killed from outside (SIGKILL); the pod's out-of-memory counter did not move.",
};
const NO_DATA: Cause = {
  code: 'no_data',
  words:
    'The trainer found no pictures in the dataset. Pictures have to lie directly in its folder, as png, jpg, jpeg, webp or bmp.',
};

const NO_TOKENIZER: Cause = {
  code: 'missing_tokenizer',
  words:
    'A tokenizer that the trainer needs is not on this disk, and the model hub could not be reached to get it. Download it on the page of models, or check the network; then start again.',
};
const NO_NETWORK: Cause = {
  code: 'no_network',
  words:
    'The network module $1 made no network out of these settings, so nothing was trained. Choose another module, or check its arguments and the weights that it was given.',
};

const BY_SIGNAL: Record<string, Cause> = {
  SIGKILL: {
    code: 'killed',
    words:
      'The trainer was killed (SIGKILL) without a word of its own: most likely the pod ran out of memory (RAM). Use fewer loader workers, or a pod with more memory, then resume.',
  },
  SIGBUS: {
    code: 'shared_memory',
    words:
      'The trainer was ended by SIGBUS: most likely the shared memory (/dev/shm) is too small. Set loader workers to 0, then resume.',
  },
  SIGSEGV: {
    code: 'crashed',
    words:
      'The trainer crashed (SIGSEGV), inside one of its libraries. Its log says what it did last; the versions of torch and its driver are the first suspects.',
  },
  SIGINT: { code: 'interrupted', words: 'The trainer was interrupted (SIGINT), as by Ctrl-C.' },
  SIGTERM: {
    code: 'terminated',
    words: 'The trainer was ended by SIGTERM, sent to its process by something other than this page.',
  },
};

/** Patterns over the last exception, and what they mean. `$1` is the pattern's first group. */
const CAUSES: readonly (readonly [pattern: RegExp, code: string, words: string, again?: 'repeats'])[] = [
  [
    /OutOfMemoryError|CUDA out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED/,
    'gpu_out_of_memory',
    'The GPU ran out of memory. End other programs on it, choose the preset of a smaller GPU (it swaps blocks to RAM), or lower the resolution, the network dimension or the batch size; then resume.',
  ],
  [
    /No space left on device|inline_container\.cc|Disk quota exceeded/,
    'disk_full',
    'The disk is full. Free some space (old checkpoints and state folders are the largest files), then resume: whole state folders are not lost.',
    'repeats',
  ],
  [
    /error: unrecognized arguments: (.+)/,
    'unknown_argument',
    'The trainer does not know these arguments: $1. Take them out.',
    'repeats',
  ],
  [/^usage: .*?error: (.+)/, 'refused_arguments', 'The trainer refused its arguments: $1.', 'repeats'],
  [
    /size mismatch for|Error\(s\) in loading state_dict/,
    'other_network',
    'The state folder holds a network of another size. Network dimension, alpha and module have to be those of the first start.',
    'repeats',
  ],
  [
    /doesn't match the size of optimizer's group|parameter group that doesn't match/,
    'other_optimizer',
    'The state folder holds another optimizer, or other trained parts. They have to be those of the first start.',
    'repeats',
  ],
  [
    /max_train_steps should be greater than initial step/,
    'nothing_left',
    'Nothing is left to train: the state holds all the epochs that were asked for. Train further with more epochs.',
    'repeats',
  ],
  [
    /Tried to find (.+?) but folder does not exist/,
    'missing_state',
    'The state folder $1 is not there any more. Resume from another one.',
    'repeats',
  ],
  [
    /PytorchStreamReader failed|failed finding central directory|Error while deserializing header|MetadataIncompleteBuffer/,
    'cut_file',
    'A file that the trainer loaded is cut short. When resuming, pick an earlier state folder; otherwise load the model file anew.',
    'repeats',
  ],
  [
    /BadZipFile|Bad CRC-32|Bad magic number for (?:file|central)/,
    'broken_cache',
    'A cache file beside the pictures is broken, probably by an earlier interruption. Clear the caches (the .npz files beside the pictures), then start again: they are made anew.',
    'repeats',
  ],
  [
    /No module named '([^']+)'/,
    'missing_package',
    "The Python package $1 is missing. Install it into the trainer's Python, or choose another Python in the settings.",
    'repeats',
  ],
  [
    /GatedRepoError|is restricted and you are not in the authorized list|401 Client Error/,
    'hub_refused',
    'The model hub refused what is needed from it: its licence has to be accepted on huggingface.co with the account of the token. Do so, and put the token (HF_TOKEN) into the secrets; then start again.',
    'repeats',
  ],
  [
    /LocalEntryNotFoundError|OfflineModeIsEnabled|Can't load tokenizer|couldn't connect to|huggingface\.co|ConnectionError|MaxRetryError/,
    'hub_unreachable',
    'The model hub could not be reached, and something that is needed from it is not on this disk yet. Check the network, then start again.',
  ],
  [
    /extra keys not allowed @ (.+)/,
    'dataset_config',
    'dataset.toml holds a key that the trainer does not know: $1.',
    'repeats',
  ],
  [
    /MultipleInvalid: (.+)/,
    'dataset_config',
    'dataset.toml holds a value that the trainer does not take: $1.',
    'repeats',
  ],
  [
    /cannot identify image file '([^']+)'/,
    'bad_picture',
    '$1 is not a picture that can be read. Replace it or take it out of the dataset.',
    'repeats',
  ],
  [/^trackside\.practice\.pictures\.PictureError: (.+)/, 'bad_picture', 'A picture cannot be read: $1.', 'repeats'],
  [/UnicodeDecodeError/, 'not_utf8', 'A caption or a prompt is not in UTF-8. Save it anew as UTF-8.', 'repeats'],
  [
    /shared memory|Bus error|DataLoader worker .* is killed by signal/i,
    'shared_memory',
    'A loader worker died: most likely the shared memory (/dev/shm) is too small. Set loader workers to 0, then resume.',
  ],
  [/MemoryError|Cannot allocate memory|DefaultCPUAllocator/, OUT_OF_RAM.code, OUT_OF_RAM.words],
  [/FileNotFoundError: .*?No such file or directory: '([^']+)'/, 'missing_file', '$1 is missing.', 'repeats'],
  [
    /PermissionError: .*?: '([^']+)'/,
    'not_permitted',
    '$1 may not be read or written by the user that Trackside runs as.',
    'repeats',
  ],
  [
    /No CUDA GPUs are available|Found no NVIDIA driver|CUDA driver version is insufficient/,
    'no_gpu',
    'The trainer found no usable GPU: $&. Check the pod and its driver.',
    'repeats',
  ],
  [/^KeyboardInterrupt/, 'interrupted', 'The trainer was interrupted (SIGINT), as by Ctrl-C.'],
];

function fill(words: string, first = '', whole = ''): string {
  return words.replace('$1', () => shortened(first)).replace('$&', () => shortened(whole));
}

/** The same for the same words; numbers in them (addresses, steps, megabytes) tell nothing apart. */
function fingerprint(words: string): string {
  return createHash('sha256')
    .update(words.replace(/0x[0-9a-f]+|\d+/gi, '#'))
    .digest('hex')
    .slice(0, 8);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
