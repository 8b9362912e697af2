import type { QueueFacts, SessionFacts } from '../sessions/facts.js';
import { COPIED } from '../sessions/status/settle.js';
import { stalledWords } from '../sessions/status/stall.js';
import { count, duration, plural, sentence, utc } from './formatting.js';
import { stateName } from './stateName.js';

/** A piece of a sentence; `strong` for names that a reader looks for. */
export type Words = { text: string; strong: boolean };
type Said = { text: string; strong?: boolean };

/**
 * What a reader wants to know before pressing the button: why it is not running, from which state it would go on and
 * at which epoch, what was passed over, and what is trained again. Empty where there is nothing to say.
 */
export function whyView(session: SessionFacts): Words[] {
  const all = [whatWasPutBack, whatItIsACopyOf, whatStandsStill, whatIsNoNumber, whatEnded, whatNext];
  return all.flatMap((say) => say(session)).map(({ text, strong = false }) => ({ text, strong }));
}

function whatWasPutBack({ put_back: putBack }: SessionFacts): Said[] {
  if (!putBack) return [];
  const { broken, reason, saved_at } = putBack;
  const since = saved_at ? ` of ${utc(new Date(saved_at), new Date(saved_at))}` : '';
  return [
    { text: `ui_state.json was damaged: ${reason}. The copy${since} was restored. The damaged file is ` },
    { text: broken, strong: true },
    { text: '. Copy what you need from it, then delete it. ' },
  ];
}

/** What was copied while it trained says so itself. */
function whatItIsACopyOf({ copy_of: original, reason_code }: SessionFacts): Said[] {
  if (original === null || reason_code === COPIED) return [];
  return [{ text: 'This folder is a copy of ' }, { text: original, strong: true }, { text: '. ' }];
}

function whatStandsStill({ stalled_seconds: seconds, progress, auto_resume }: SessionFacts): Said[] {
  if (seconds === null) return [];
  const advice = auto_resume.on
    ? 'Auto-resume would not help here. Stop it if it stays stuck.'
    : 'If it stays stuck, stop and resume it. With auto-resume on, Trackside does both.';
  return [{ text: `${sentence(stalledWords(progress.phase, seconds))} `, strong: true }, { text: `${advice} ` }];
}

/** sd-scripts goes on with it to the end, and writes weights that draw nothing but black. */
function whatIsNoNumber({ progress, status }: SessionFacts): Said[] {
  if (progress.loss !== 'nan') return [];
  const first = status === 'running' ? "Stop it, it won't recover. Then" : 'Before you train it again,';
  return [
    { text: 'The loss is not a number (nan), so the weights are useless. ', strong: true },
    {
      text: `${first} lower the learning rate, train in bf16 or without half precision (with fp16, --no_half_vae helps), and resume from an earlier state folder or start over. `,
    },
  ];
}

/** A training that goes on at any step: its epochs, if it has any, say nothing. */
function isByStep({ first_epoch, step, repeated_steps }: NonNullable<SessionFacts['resume']>): boolean {
  return first_epoch === 1 && step > 0 && repeated_steps === 0;
}

function whereFrom(resume: NonNullable<SessionFacts['resume']>): string {
  if (resume.exact) return `, exactly at step ${count(resume.step)}. `;
  return isByStep(resume) ? ` after step ${count(resume.step)}. ` : ` at epoch ${resume.first_epoch}. `;
}

function whatEnded({ status, reason, record, auto_resume, queue, retried_smaller: retried }: SessionFacts): Said[] {
  if (record === 'unreadable') return [{ text: `${sentence(reason ?? 'ui_state.json cannot be read')} ` }];
  const again = retried ? `The GPU ran out of memory with the preset ${retried.from}` : '';
  if (queue && retried)
    return [{ text: `${again}, so it is tried once more with ${retried.to}. ${waitsView(queue)} ` }];
  if (queue) return [{ text: `${waitsView(queue)} ` }];
  if (!reason) return [];
  if (status === 'completed') return [{ text: `${sentence(reason)} ` }];
  const tried = retried && status === 'failed' ? `${again}, and then once more with ${retried.to}` : null;
  return [tried, reason, auto_resume.reason].flatMap((each) => (each ? [{ text: `${sentence(each)} ` }] : []));
}

function whatNext(session: SessionFacts): Said[] {
  const { resume, next } = session;
  const { in_seconds: seconds } = session.auto_resume;
  if (next === 'start over') {
    return [
      {
        text: 'There is no state folder to resume from. Start over begins at epoch 1 and keeps the files so far in earlier/.',
      },
    ];
  }
  if (next !== 'resume' || !resume) return [];
  const paths = [resume.path, ...resume.passed_over.map(({ path }) => path)];
  const words: Said[] = [
    { text: seconds === null ? 'Resume continues from ' : `Auto-resume in ${duration(seconds)} from ` },
    { text: stateName(resume.path, paths), strong: true },
    { text: whereFrom(resume) },
  ];
  if (resume.differs.length > 0) {
    const differs = new Intl.ListFormat('en').format(resume.differs);
    words.push({ text: `It can't go on exactly where it ended: ${differs}. ` });
  }
  if (resume.doubt) {
    words.push({ text: `It may not be whole: ${resume.doubt}. Resume from it only if you know that it is. ` });
  }
  for (const { path, reason } of resume.passed_over) {
    const name = stateName(path, paths);
    words.push({ text: name, strong: true }, { text: ` was skipped: ${reason}. ` });
  }
  if (resume.repeated_steps > 0) {
    words.push({
      text: `Its weights have seen ${plural(resume.repeated_steps, 'step')} more than the ${plural(resume.first_epoch - 1, 'epoch')} before: epoch ${resume.first_epoch} is trained from its beginning, so ${resume.repeated_steps === 1 ? 'it is' : 'they are'} trained twice. `,
    });
  }
  if (resume.lost_steps)
    words.push({
      text: `The last ${resume.lost_steps === 1 ? 'step' : `${count(resume.lost_steps)} steps`} will be repeated.`,
    });
  if (resume.lost_steps === null) words.push({ text: 'Anything trained since then will be repeated.' });
  return words;
}

/** "Waits: GPU 0 is in use by my-cat." */
export function waitsView({ failed, held, waits }: QueueFacts): string {
  if (failed !== null) return `Not started: ${failed}`;
  return held || waits === null ? (waits ?? 'Waits for its turn.') : `Waits: ${waits}`;
}
