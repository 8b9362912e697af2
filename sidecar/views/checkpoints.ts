import { memoByObject } from '../files/memoByObject.js';
import type { SessionFacts } from '../sessions/facts.js';
import type { CheckpointFacts, KeptEarlier, SampleFacts, StateFacts } from '../sessions/savedFacts.js';
import { isAlive } from '../sessions/status/alive.js';
import { isChangeable } from '../sessions/status/queued.js';
import { checkpointAddress, sampleAddress } from './action.js';
import { askView } from './ask.js';
import { bytes, count, elementId, joined, plural } from './formatting.js';

export type CheckpointsView = NonNullable<ReturnType<typeof checkpointsView>>;

/** What the section "Checkpoints" is made of. */
export type Saves = {
  checkpoints: CheckpointFacts[];
  states: StateFacts[];
  samples: SampleFacts[];
  kept: KeptEarlier;
  /** The checkpoint of the best sample. */
  best?: CheckpointFacts | null;
};

/** How many saves are shown before all are asked for (session.css). */
const SHOWN = 5;

/** Every save once, newest first: its weights, and the state to resume from. `at` is the address of the session. */
export function checkpointsView(session: SessionFacts, saves: Saves, at: string) {
  const { checkpoints, states, samples, kept, best } = saves;
  if (isChangeable(session) && checkpoints.length + states.length + kept.states.length === 0) return null;
  const canResume = !isAlive(session.status) && !session.all_trained;
  const pictures = firstPictures(samples);
  const rows = savesOf(checkpoints, states).map(({ checkpoint, state }) => {
    const saved = checkpoint ?? state;
    const picture = pictureOf(saved, pictures);
    const chosen = state !== null && session.resume?.path === state.path;
    const isBest = checkpoint !== null && checkpoint === best;
    return saveView(saved, checkpoint, state, picture, canResume, chosen, isBest, at);
  });
  return {
    rows,
    more: rows.length > SHOWN ? rows.length : null,
    /** Folders of earlier/ that hold states, shown where there is none else. */
    kept: states.length === 0 ? kept.states : [],
    ask: askView(session, at, 'save', 'Save now'),
  };
}

type Save = { checkpoint: CheckpointFacts; state: StateFacts | null } | { checkpoint: null; state: StateFacts };

function savesOf(checkpoints: CheckpointFacts[], states: StateFacts[]): Save[] {
  const key = ({ path, kind, epoch, step }: CheckpointFacts | StateFacts) => {
    const number = kind === 'epoch' ? epoch : step;
    // Of a state that could not be read, the number is unknown, as of others.
    return number === null && kind !== 'final' ? path : `${path.slice(0, path.lastIndexOf('/') + 1)} ${kind} ${number}`;
  };
  const left = new Map(states.map((state) => [key(state), state]));
  const withWeights = checkpoints.map((checkpoint): Save => {
    const state = left.get(key(checkpoint)) ?? null;
    left.delete(key(checkpoint));
    return { checkpoint, state };
  });
  const all = [...withWeights, ...[...left.values()].map((state): Save => ({ checkpoint: null, state }))];
  const savedAt = ({ checkpoint, state }: Save) => (checkpoint ?? state).saved_at;
  return all.sort((a, b) => (savedAt(a) < savedAt(b) ? 1 : savedAt(a) > savedAt(b) ? -1 : 0));
}

type Pictures = { steps: SampleFacts[]; epochs: SampleFacts[] };

/** Of the first prompt, by their step or their epoch, ascending. */
const firstPictures = memoByObject((samples: SampleFacts[]): Pictures => {
  const first = samples.filter(({ prompt, lost }) => prompt === 0 && !lost);
  return {
    steps: first.filter(({ epoch }) => epoch === null).sort((a, b) => (a.step ?? 0) - (b.step ?? 0)),
    epochs: first.filter(({ epoch }) => epoch !== null).sort((a, b) => (a.epoch ?? 0) - (b.epoch ?? 0)),
  };
});

/** Samples are seldom made at the very step of a save: the last ones before it are shown, and named. */
function pictureOf({ epoch, step }: Pick<CheckpointFacts, 'epoch' | 'step'>, { steps, epochs }: Pictures) {
  return lastUpTo(epochs, epoch, (each) => each.epoch) ?? lastUpTo(steps, step, (each) => each.step);
}

/** By halves: there may be thousands, for hundreds of saves. */
function lastUpTo(sorted: SampleFacts[], most: number | null, of: (each: SampleFacts) => number | null) {
  if (most === null) return null;
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const each = sorted[middle];
    if (each && (of(each) ?? 0) <= most) from = middle + 1;
    else to = middle;
  }
  return sorted[from - 1] ?? null;
}

const saveView = memoByObject(
  (
    saved: CheckpointFacts | StateFacts,
    checkpoint: CheckpointFacts | null,
    state: StateFacts | null,
    picture: SampleFacts | null,
    canResume: boolean,
    chosen: boolean,
    best: boolean,
    at: string,
  ) => ({
    id: elementId('save', saved.path),
    name: saved.path,
    title: titleOf(saved),
    /** Its weights made the sample that a person liked best, or come closest to those. */
    best,
    picture: picture && { href: `${sampleAddress(at, picture.name)}?size=thumb`, alt: `Sample of ${whenOf(picture)}` },
    /** "step 200 · 38 MB · state 120 MB" */
    what: joined(
      saved.kind !== 'step' && saved.step !== null && `step ${count(saved.step)}`,
      checkpoint && bytes(checkpoint.bytes),
      state && `state ${bytes(state.bytes)}`,
      state && canResume && twice(state),
    ),
    saved: saved.saved_at,
    /** Its files, and what its header tells. */
    told: [
      ...[checkpoint, state].flatMap((each) => (each ? [{ name: 'file', value: each.path }] : [])),
      ...Object.entries(checkpoint?.metadata ?? {}).map(([name, value]) => ({
        name: name.replace(/^ss_/, ''),
        value: toldValue(name, value),
      })),
    ],
    problems: [
      checkpoint?.problem,
      state && !state.complete && `Its state can’t be resumed from: ${state.reason ?? 'something is missing'}.`,
      state?.complete && canResume && state.refused && `Resume can’t use it: ${state.refused}.`,
    ].filter((each) => typeof each === 'string'),
    href: checkpoint && !checkpoint.problem ? checkpointAddress(at, checkpoint.path) : null,
    /** Where a draft is made of what its header tells; null where that is nothing. */
    draft: checkpoint?.metadata.ss_network_dim ? draftAddress(at, checkpoint.path) : null,
    /** The button that resumes from it; null where it has none. */
    button:
      state && canResume && !state.refused
        ? { at, state: state.path, label: chosen ? 'Resume' : 'Resume from here', go: chosen }
        : null,
  }),
);

/** `at` is the address of the session, two levels below the site's root. */
function draftAddress(at: string, checkpoint: string): string {
  const [root = '', name = ''] = at.split('sessions/');
  return `${root}drafts/from-file?session=${name}&checkpoint=${encodeURIComponent(checkpoint)}`;
}

/** Of a state from the middle of an epoch, which a resume begins again. */
function twice({ complete, repeated_steps }: StateFacts): string | false {
  return complete && repeated_steps > 0 && `resume repeats ${plural(repeated_steps, 'step')}`;
}

function whenOf({ epoch, step }: SampleFacts): string {
  return epoch === null ? `step ${count(step)}` : `epoch ${count(epoch)}`;
}

/** "Epoch 10", "Step 650", "Final"; the file's own name where nothing tells when it was saved. */
function titleOf({ kind, epoch, step, name }: CheckpointFacts | StateFacts): string {
  if (kind === 'final') return 'Final';
  if (kind === 'epoch' && epoch !== null) return `Epoch ${count(epoch)}`;
  return kind !== 'other' && step !== null ? `Step ${count(step)}` : name;
}

/** sd-scripts writes times as seconds since 1970. */
function toldValue(name: string, value: string): string {
  const seconds = Number(value);
  return name.endsWith('_at') && seconds > 0 && seconds < 1e11
    ? new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
    : value;
}
