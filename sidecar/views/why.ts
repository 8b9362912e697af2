import type { SessionFacts } from '../sessions/facts.js';
import { plural, sentence } from './formatting.js';

/** A piece of a sentence; `strong` for names that a reader looks for. */
export type Words = { text: string; strong?: boolean };

/**
 * What a reader wants to know before pressing the button: why it is not running, from which state it would go on and
 * at which epoch, what was passed over, and what is trained again. Empty where there is nothing to say.
 */
export function whyView(session: SessionFacts): Words[] {
  return [...whatHappened(session), ...whatNext(session)];
}

function whatHappened({ status, reason, record }: SessionFacts): Words[] {
  if (record === 'unreadable') return [{ text: `${sentence(reason ?? 'ui_state.json cannot be read')} ` }];
  if (reason && status !== 'completed') return [{ text: `${sentence(reason)} ` }];
  return [];
}

function whatNext(session: SessionFacts): Words[] {
  const { resume, next } = session;
  if (next === 'start over') {
    return [
      {
        text: 'There is no state to resume from: it starts again at epoch 1, and the files so far are kept in earlier/.',
      },
    ];
  }
  if (next !== 'resume' || !resume) return [];
  const words: Words[] = [
    { text: 'Resumes from ' },
    { text: resume.state, strong: true },
    { text: ` at epoch ${resume.first_epoch}. ` },
  ];
  for (const { state, reason } of resume.passed_over) {
    words.push({ text: state, strong: true }, { text: ` was passed over: ${reason.replace(/\.$/, '')}. ` });
  }
  if (resume.repeated_steps > 0) {
    words.push({
      text: `It was saved in the middle of epoch ${resume.first_epoch}: ${plural(resume.repeated_steps, 'step')} of it ${resume.repeated_steps === 1 ? 'is' : 'are'} trained again. `,
    });
  }
  if (resume.lost_steps)
    words.push({
      text: `${plural(resume.lost_steps, 'step')} since then ${resume.lost_steps === 1 ? 'is' : 'are'} trained again.`,
    });
  if (resume.lost_steps === null) words.push({ text: 'What was trained since then is trained again.' });
  return words;
}
