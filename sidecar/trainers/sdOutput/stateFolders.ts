import { lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setImmediate as letOthers } from 'node:timers/promises';
import { z } from 'zod';
import { ifMissing, ifUnreadable } from '../../caught.js';
import { jsonOrNull } from '../../files/exactJson.js';
import { memoByFile } from '../../files/memoByFile.js';
import { FileRefused, readText } from '../../files/regularFile.js';
import { readSafetensors } from '../../files/safetensors.js';
import { endsAsZip } from '../../files/zipArchive.js';
import { realInside } from '../../security/paths.js';
import { flagsOf } from '../arguments.js';
import type { StateOnDisk } from '../dialect.js';
import { flagValue } from '../trainingCommand.js';
import { readExactPlace } from './exactStates.js';
import { readStateName } from './fileNames.js';
import { readOtherStates } from './otherStates.js';
import { readSeenSteps } from './seenSteps.js';
import { knownDamage } from './stateDamage.js';
import { type FileOnDisk, filesIn, MODEL, OLD_MODEL, signatureOf, WRITE_ORDER } from './stateFiles.js';

/** State folders between two breaks for other requests. */
const AT_ONCE = 16;

type Options = {
  /** The folder that the trainer is writing, from its console lines; never complete. */
  writingNow?: string | null;
  /** The command that wrote them; empty when unknown. It tells which files belong to a state. */
  argv?: readonly string[];
};

/**
 * The state folders of `outputName` directly inside `folder`, newest save first, each checked for completeness: a
 * killed trainer leaves half-written folders that a resume would accept (sd-scripts writes file by file, in place).
 * Reads headers and tails only, once each; earlier results of `whatIsDamaged` count as well. An unreadable folder is
 * listed with its reason; a missing one holds none.
 */
export async function readStateFolders(
  folder: string,
  outputName: string,
  options: Options = {},
): Promise<StateOnDisk[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ifMissing([]));
  const found = entries.flatMap((entry) => {
    const at = entry.isDirectory() || entry.isSymbolicLink() ? readStateName(entry.name, outputName) : null;
    return at ? [{ name: entry.name, ...at }] : [];
  });
  const states = await readOtherStates(folder, outputName, entries);
  for (let at = 0; at < found.length; at += AT_ONCE) {
    if (at > 0) await letOthers();
    const some = found.slice(at, at + AT_ONCE);
    const read = await Promise.all(some.map((named) => readStateFolder(join(folder, named.name), named, options)));
    states.push(...read.filter((state) => state !== null));
  }
  return states.sort((a, b) => b.savedAtMs - a.savedAtMs || b.name.localeCompare(a.name));
}

/**
 * Is any of these entries of `folder` a complete state folder of `outputName`? Reads no more of them than necessary,
 * the newest by name first.
 */
export async function hasCompleteState(
  folder: string,
  outputName: string,
  entries: readonly string[],
  options: Options = {},
): Promise<boolean> {
  const found = entries.flatMap((name) => {
    const at = readStateName(name, outputName);
    return at ? [{ name, ...at }] : [];
  });
  const newestFirst = found.sort(
    (a, b) => (b.number ?? Number.POSITIVE_INFINITY) - (a.number ?? Number.POSITIVE_INFINITY),
  );
  for (const named of newestFirst) {
    if ((await readStateFolder(join(folder, named.name), named, options))?.complete) return true;
  }
  return false;
}

type Named = Pick<StateOnDisk, 'name' | 'kind' | 'number'>;

async function readStateFolder(path: string, named: Named, options: Options): Promise<StateOnDisk | null> {
  try {
    const leadsOut = await whyNotFollowed(path);
    if (leadsOut) return unread(named, leadsOut);
    const files = await filesIn(path);
    for (const { name } of files.filter(({ isLink }) => isLink)) {
      const fileLeadsOut = await leadsTo(dirname(dirname(path)), join(path, name));
      if (fileLeadsOut) return unread(named, `${name} ${fileLeadsOut}`);
    }
    const argv = options.argv ?? [];
    const needed = filesOf(argv);
    const signature = signatureOf(files);
    const processes = Number(flagValue(argv, '--num_processes') ?? 1) || 1;
    const key = `${needed} ${processes} ${signature}`;
    const { trained, seen, exact, wrong, disorder } = await inspect(path, key, files, needed, processes);
    const beingWritten = options.writingNow && resolve(options.writingNow) === resolve(path);
    const broken = beingWritten ? 'it is being written now' : (wrong ?? knownDamage(path, signature));
    const reason = broken ?? disorder;
    return {
      ...named,
      currentEpoch: trained?.current_epoch ?? null,
      currentStep: trained?.current_step ?? null,
      seenSteps: seen,
      exact,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      savedAtMs: savedAt(files) ?? (await stat(path)).mtimeMs,
      complete: reason === null,
      reason,
      ...(broken === null && disorder !== null ? { doubtful: true } : {}),
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The trainer removes old state folders meanwhile.
    if (code === 'ENOENT' && !(await stat(path).catch(ifUnreadable(null, 'trainers')))) return null;
    if (error instanceof FileRefused) return unread(named, `one of its files ${error.words}`);
    const reason =
      code === 'EACCES' ? 'Trackside may not read its files' : `it cannot be read (${code ?? String(error)})`;
    return unread(named, reason);
  }
}

function unread(named: Named, reason: string): StateOnDisk {
  return {
    ...named,
    currentEpoch: null,
    currentStep: null,
    seenSteps: null,
    bytes: 0,
    savedAtMs: 0,
    complete: false,
    reason,
  };
}

/** A link is followed to another folder of the outputs, and to no other. */
async function whyNotFollowed(path: string): Promise<string | null> {
  if (!(await lstat(path)).isSymbolicLink()) return null;
  const why = await leadsTo(dirname(dirname(path)), path);
  return why && `it ${why}`;
}

/** Where a link leads that is not followed, in words; null for one that is. */
async function leadsTo(root: string, path: string): Promise<string | null> {
  // silent: a link that leads out is told as one.
  const inside = await realInside(root, path).catch(() => 'out');
  if (inside === 'out') return 'is a link that leads out of the outputs folder; put what it links to here';
  return inside ? null : 'is a link that leads nowhere';
}

/**
 * The files that a command writes: with fp16 a gradient scaler belongs to every state (accelerate checkpointing.py:141), and a
 * schedule-free optimizer has no schedule.
 */
function filesOf(argv: readonly string[]): string[] {
  const without = new Set<string>();
  if (flagValue(argv, '--mixed_precision') !== 'fp16') without.add('scaler.pt');
  if (/schedulefree$/i.test(flagValue(flagsOf(argv), '--optimizer_type') ?? '')) without.add('scheduler.bin');
  return WRITE_ORDER.filter((name) => !without.has(name));
}

const inspect = memoByFile(async (path: string, files: FileOnDisk[], asked: string[], processes: number) => {
  const trained = await readTrainState(path);
  const { seen, scheduleFree } = await readSeenSteps(path, processes);
  const needed = asked.filter((name) => name !== 'scheduler.bin' || !scheduleFree);
  const wrong = (await whatIsWrong(path, files, needed)) ?? (trained ? null : 'train_state.json cannot be read');
  const disorder = outOfOrder(WRITE_ORDER.flatMap((name) => files.find((file) => file.name === name) ?? []));
  return { trained, seen, exact: await readExactPlace(path), wrong, disorder };
});

/** Bytes of train_state.json. */
const LARGEST_STATE = 100_000;

const trainState = z.object({ current_epoch: z.number().int().min(0), current_step: z.number().int().min(0) });

async function readTrainState(path: string): Promise<z.infer<typeof trainState> | null> {
  const text = readText(join(path, 'train_state.json'), LARGEST_STATE, 'refused').catch(ifUnreadable('', 'trainers'));
  // Cut short, as while it is being written, it is none: the state is told as not complete.
  return trainState.safeParse(jsonOrNull(await text)).data ?? null;
}

async function whatIsWrong(path: string, files: FileOnDisk[], needed: string[]): Promise<string | null> {
  const byName = new Map(files.map((file) => [file.name, file]));
  // As accelerate wrote it until 0.25, and still reads it.
  const isOld = !byName.has(MODEL) && byName.has(OLD_MODEL);
  needed = needed.map((name) => (isOld && name === MODEL ? OLD_MODEL : name));
  if (!needed.some((name) => byName.has(name))) {
    const inside = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    if (inside.length === 1) return `its files may be one folder down, in ${inside[0]?.name}: move them up`;
  }
  for (const name of needed) {
    const file = byName.get(name);
    if (!file) return `${name} is missing`;
    if (file.bytes === 0) return `${name} is empty`;
  }
  const header = isOld ? null : await readSafetensors(join(path, MODEL));
  if (typeof header === 'string') return `${MODEL} ${header}`;
  for (const name of needed.filter((each) => /\.(bin|pkl|pt)$/.test(each))) {
    if (!(await endsAsZip(join(path, name), byName.get(name)?.bytes ?? 0))) return `${name} is cut short`;
  }
  return null;
}

/** Files of two saves lie further apart: at least the start of a trainer and an epoch. Closer ones were written, or copied, at once. */
const ONE_WRITE_MS = 3000;

/** An interrupted save over an older folder of the same name leaves whole files of two saves. */
function outOfOrder(files: FileOnDisk[]): string | null {
  const times = files.map(({ mtimeNs }) => Number(mtimeNs / 1_000_000n));
  if (Math.max(...times) - Math.min(...times) < ONE_WRITE_MS) return null;
  for (const [index, file] of files.entries()) {
    const before = files[index - 1];
    if (before && file.mtimeNs < before.mtimeNs) {
      return `${file.name} is older than ${before.name}: a save over an earlier one was cut off, or the folder was copied without its file times`;
    }
  }
  return null;
}

function savedAt(files: FileOnDisk[]): number | null {
  const last = files.find((file) => file.name === 'random_states_0.pkl');
  const times = (last ? [last] : files).map((file) => Number(file.mtimeNs / 1000n) / 1000);
  return times.length > 0 ? Math.max(...times) : null;
}
