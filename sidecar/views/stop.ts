import type { SessionFacts, StopCost } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { duration, elementId, plural } from './formatting.js';

/** The ways to stop a training, each with its price. Opens above the page, and works without JavaScript. */
export type StopSheet = {
  /** Unique on a page, and the same in every update. */
  id: string;
  title: string;
  ways: {
    label: string;
    words: string;
    address: string;
    fields: [name: string, value: string][];
    tone: '' | 'no' | 'go';
  }[];
  /** Why there is no Pause, in words; null where there is one, or it is not known yet. */
  note: string | null;
};

/** `at` is the address of the session, `back` the fields that say where the button stands. */
export function stopSheet(session: SessionFacts, at: string, back: [string, string][]): StopSheet {
  const { stop_cost: cost } = session;
  const pauses = session.exact_pause?.available === true;
  const current = `${at}/attempts/current`;
  const waits = session.stops_after_save;
  const canWait = cost?.saves === true && session.status === 'running' && !pauses;
  const price = pauses ? STOP_OR_PAUSE : priceNow(cost);
  const ways: StopSheet['ways'] = [
    { label: 'Stop now', words: price, address: `${current}?_method=DELETE`, fields: back, tone: 'no' },
  ];
  if (pauses) {
    ways.unshift({ label: 'Finish now', words: FINISH, address: `${current}/finish`, fields: back, tone: '' });
    if (!session.pausing) {
      ways.unshift({ label: 'Pause', words: PAUSE, address: `${current}/pause`, fields: back, tone: 'go' });
    }
  }
  if (canWait && !waits) {
    ways.unshift({
      label: 'Stop after next checkpoint',
      words: `${whenSaved(cost)}. Nothing is lost.`,
      address: `${current}?_method=DELETE`,
      fields: [['when', 'after-save'], ...back],
      tone: '',
    });
  }
  if (waits) {
    const words = `${whenSaved(cost)} it would stop.`;
    ways.unshift({ label: "Don't stop", words, address: `${current}/stop?_method=DELETE`, fields: back, tone: 'go' });
  }
  const title = `Stop ${session.lora_name} ${versionName(session)}?`;
  const why = pauses ? null : (session.exact_pause?.why ?? null);
  return { id: elementId('stop', session.name), title, ways, note: why && `There is no Pause here: ${why}.` };
}

const PAUSE =
  'Saves the current step and ends, usually within seconds. Nothing is lost: Resume goes on with the next step.';
const FINISH = 'Ends at this step, and saves its weights as the final ones.';
const STOP_OR_PAUSE =
  'Saves the current step too if there is time, but ends in any case: if it takes too long, it is killed.';

function whenSaved(cost: StopCost | null): string {
  const seconds = cost?.next_save_seconds ?? null;
  return seconds === null ? 'Once the next one is saved' : `In about ${duration(Math.max(1, seconds))}`;
}

/** "The last 160 steps (8 min) will be trained again when you resume." */
function priceNow(cost: StopCost | null): string {
  if (!cost || (cost.saves && cost.lost_steps === null)) {
    return 'Anything since the last saved state will be trained again when you resume.';
  }
  const { saves, lost_steps: lost, lost_seconds: seconds } = cost;
  if (lost === 0) return 'Nothing is lost.';
  if (!saves) return 'It saves no state folders, so it would have to start over.';
  const steps = lost === 1 ? 'The last step' : `The last ${plural(lost ?? 0, 'step')}`;
  const time = seconds === null ? '' : ` (${duration(seconds)})`;
  return `${steps}${time} will be trained again when you resume.`;
}
