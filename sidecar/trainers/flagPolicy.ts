import { leadsInside, leadsIntoUploads, type PathRoots } from './pathRoots.js';

/**
 * Flags that nobody may give a trainer: those that Trackside sets, those that read or write other arguments, and those
 * that belong into the environment.
 */
export const OWN_FLAGS: readonly string[] = [
  'output_dir',
  'output_name',
  'dataset_config',
  'train_data_dir',
  'resume',
  'resume_from_huggingface',
  'initial_epoch',
  'initial_step',
  'skip_until_initial_step',
  'max_train_epochs',
  'max_train_steps',
  'save_state',
  'logging_dir',
  'log_tracker_config',
  'sample_prompts',
  'config_file',
  'output_config',
  'save_model_as',
  'huggingface_token',
  'wandb_api_key',
  'console_log_file',
  'console_log_simple',
  'help',
];

/** Flags of which each attempt has its own. How it can be paused changes nothing that is trained. */
export const ATTEMPT_FLAGS: ReadonlySet<string> = new Set([
  ...['--exact_pause', '--resume', '--initial_epoch', '--initial_step'],
  ...['--output_dir', '--output_name', '--logging_dir'],
]);

/** Why a flag is not allowed with any value; null if it is allowed. */
export function whyNoFlag(name: string): string | null {
  if (!/^[A-Za-z][\w-]*$/.test(name)) return `--${shown(name)} is not a valid flag name.`;
  if (/(?:token|api[_-]?key|password|secret)$/i.test(name)) {
    return `--${name} would be readable in files and in the list of processes. Save it on the Secrets page instead: the trainer gets it from there.`;
  }
  return OWN_FLAGS.includes(name) ? `--${name} is set by Trackside itself.` : null;
}

/** The flag of ours, or of code, that a name abbreviates, or null: argparse accepts abbreviations. */
export function abbreviates(name: string): string | null {
  const meant = [...OWN_FLAGS, ...CODE_FLAGS].find((flag) => flag !== name && flag.startsWith(name));
  return meant ?? null;
}

/** Flags with modules that sd-scripts imports and runs (train_util.py:2942, :5130, :5307, train_network.py:644). */
export const CODE_FLAGS: readonly string[] = ['network_module', 'optimizer_type', 'lr_scheduler_type', 'dataset_class'];

export function namesCode(name: string): boolean {
  return CODE_FLAGS.includes(name) || /^custom_|_(?:module|class)$/.test(name);
}

/** Why a flag may not have these values, without repeating long ones; null if it may. */
export function whyNotHeld(name: string, values: readonly string[], roots: PathRoots): string | null {
  const unsaid = whyNotSaid(`--${name}`, values);
  if (unsaid || FREE_TEXT.test(name)) return unsaid;
  if (FOLDER_NAMES.includes(name) && values.some((value) => /[/\\]|^\.\.$/.test(value))) {
    return `--${name} becomes part of a folder's name: leave slashes out.`;
  }
  const pickled = values.find((value) => mayBePickle(name, value, roots));
  if (pickled !== undefined) {
    return `--${name}: ${shown(pickled)} is not a .safetensors file. Other weight files can run code when they are loaded.`;
  }
  const paths = values.flatMap(pathsIn).filter((path) => PATH_FLAGS.test(name) || isPath(path));
  return whyOutside(`--${name}`, paths, roots);
}

/**
 * Why an argument of a script of the user may not have these values: only paths that plainly leave the folders that a trainer
 * may use, and what no command line can hold. `label` is what the person calls it. Null if it may.
 */
export function whyNotInside(label: string, values: readonly string[], roots: PathRoots): string | null {
  return whyNotSaid(label, values) ?? whyOutside(label, values.flatMap(pathsIn).filter(isPath), roots);
}

function whyNotSaid(label: string, values: readonly string[]): string | null {
  if (values.some((value) => /[\p{Cc}\p{Cs}]/u.test(value)))
    return `${label} has a line break or an invisible character in it.`;
  return values.some((value) => value.length > LONGEST) ? `${label} is longer than ${LONGEST} characters.` : null;
}

function whyOutside(label: string, paths: readonly string[], roots: PathRoots): string | null {
  const outside = paths.find((path) => leaves(path, roots));
  if (outside === undefined) return null;
  const where = [...roots.closed, ...roots.linked].join(', ');
  return `${label}: ${shown(outside)} is not inside the folders that a trainer may use${where && ` (${where})`}.`;
}

/**
 * Why sample prompts are not allowed: `--cn <file>`, or `cn <file>` at the beginning, opens a picture (sd-scripts
 * train_util.py:6302). Null if they are allowed.
 */
export function whyNotDrawn(prompts: string, roots: PathRoots): string | null {
  const files = prompts
    .split(/[\r\n]/)
    .flatMap((prompt) => prompt.split(' --'))
    // Python strips more than `trim` does.
    .flatMap((part) => /^[\s\p{Cc}]*cn (.+)/isu.exec(part)?.[1] ?? []);
  const outside = files.find((file) => leaves(file, roots));
  return outside === undefined
    ? null
    : `--cn ${shown(outside)} in a sample prompt is not inside the folders that a trainer may use.`;
}

/** The kernel's limit is 128 KiB per argument; no setting needs that much. */
const LONGEST = 8000;

/** Texts for people, and prompts: nothing opens them as files. */
const FREE_TEXT =
  /^(?:training_comment|system_prompt|metadata_(?!thumbnail)\w+|caption_\w+|\w+_separator|wandb_run_name)$/;

const MODEL_FILES = 'vae|ae|clip_l|clip_g|t5xxl|gemma2|qwen3|byt5|text_encoder|ckpt|model_name_or_path';
// short: the name of a flag that a parser lists
const PATH_FLAGS = new RegExp(`(?:^|_)(?:dir|path|file|folder|weights|json|${MODEL_FILES})$`);

/** Flags whose values are appended to the logging folder unchanged (train_util.py:5441, :6600). */
const FOLDER_NAMES = ['log_prefix', 'log_tracker_name'];

/** Flags for weights that a trainer begins from or adds, and for model files. */
const WEIGHTS = /(?:^|_)weights$/;
// short: the name of a flag that a parser lists
const MODELS = new RegExp(`(?:^|_)(?:${MODEL_FILES}|adapter_path)$`);

/**
 * Files not named .safetensors go through torch.load (networks/lora_lumina.py:420, model_util.py:980), which runs a
 * pickle's code; and an upload may be a pickle. A person who can write into the models folder or the checkout has the
 * machine anyway.
 */
function mayBePickle(name: string, value: string, roots: PathRoots): boolean {
  if (value.endsWith('.safetensors')) return false;
  return WEIGHTS.test(name) || (MODELS.test(name) && leadsIntoUploads(value, roots));
}

/** The possible paths in a value: `key=value`, as in network_args, may have one behind the sign. */
function pathsIn(value: string): string[] {
  const at = value.indexOf('=');
  return at < 0 ? [value] : [value, value.slice(at + 1).replace(/^["']/, '')];
}

function isPath(value: string): boolean {
  return /^(?:[/~\\]|file:)/i.test(value) || /(?:^|[/\\])\.\.(?:[/\\]|$)/.test(value);
}

function leaves(path: string, roots: PathRoots): boolean {
  return /^~|^\w+:\/\/|\\/.test(path) || !leadsInside(path, roots);
}

function shown(value: string): string {
  const printable = value.replace(/[\p{Cc}\p{Cs}]/gu, '�');
  return printable.length > 80 ? `${printable.slice(0, 79)}…` : printable;
}
