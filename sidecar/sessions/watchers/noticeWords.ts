import { basename } from 'node:path';
import { NOTICE_KINDS, type Notice, type NoticeKind } from '../../notices/notice.js';
import type { NoticeStore } from '../../notices/noticeSettings.js';
import { filled } from '../../notices/wording.js';
import type { ConsoleEvent } from '../../trainers/console.js';
import type { AttemptFacts, SessionFacts } from '../facts.js';
import { secondsTrained } from '../status/secondsTrained.js';

export type NoticeWords = {
  store: NoticeStore;
  /** The address of a page, by its path; null where no address is known that others reach. */
  pageAt(path: string): string | null;
  /** What a session has cost, in words; null without a price. */
  costOf?(facts: SessionFacts): string | null;
};

type Values = Partial<Record<string, string>>;

/** Names an attempt for ever, also in another session of the same name. */
export function attemptKey({ name }: { name: string }, { number, started_at }: AttemptFacts): string {
  return `${name}:${number}:${started_at}`;
}

/** How a session ended. Without its picture. */
export function endNotice(kind: NoticeKind, facts: SessionFacts, latest: AttemptFacts, words: NoticeWords): Notice {
  const { lora_name: lora, version, progress, reason, auto_resume: auto, final_checkpoint } = facts;
  const title = { completed: 'is trained', failed: 'has failed', interrupted: 'was interrupted' }[kind as 'completed'];
  const again = auto.will ? 'It resumes by itself.' : '';
  const saved = facts.resume ? `It can be resumed from step ${facts.resume.step}.` : '';
  const lines = [
    kind === 'completed' ? '' : [reason, again || saved].filter(Boolean).join(' '),
    progressLine(progress),
    kind === 'completed' && final_checkpoint ? `Weights: ${basename(final_checkpoint)}` : '',
    costLine(facts, words),
  ];
  const said = { title: `${lora} V${version} ${title}`, text: lines.filter(Boolean).join('\n') };
  const notice = sessionNotice(kind, `${kind}:${attemptKey(facts, latest)}`, facts, words, said);
  return { ...notice, at: latest.ended_at ?? notice.at };
}

/** A session that ran out of memory waits to be tried once more. */
export function retryNotice(
  facts: SessionFacts,
  latest: AttemptFacts,
  { from, to }: { from: string; to: string },
  words: NoticeWords,
): Notice {
  return sessionNotice('failed', `retried:${attemptKey(facts, latest)}`, facts, words, {
    title: `${facts.lora_name} V${facts.version} ran out of GPU memory`,
    text: `It is tried once more, with the preset ${to} instead of ${from}.`,
  });
}

export function stallNotice(facts: SessionFacts, latest: AttemptFacts, words: NoticeWords): Notice {
  const { lora_name: lora, version, progress, stalled_seconds } = facts;
  const minutes = Math.max(1, Math.round((stalled_seconds ?? 0) / 60));
  return sessionNotice(
    'stalled',
    `stalled:${attemptKey(facts, latest)}:${progress.step}:${progress.phase}`,
    facts,
    words,
    {
      title: `${lora} V${version} makes no progress`,
      text: [`No progress for ${minutes} min.`, progressLine(progress)].filter(Boolean).join('\n'),
    },
  );
}

export function alertNotice(
  event: Extract<ConsoleEvent, { type: 'alert' }>,
  facts: SessionFacts,
  latest: AttemptFacts,
  words: NoticeWords,
): Notice {
  const id = `alert:${attemptKey(facts, latest)}:${event.at}:${event.title}`;
  const notice = sessionNotice('alert', id, facts, words, {
    title: `${facts.lora_name} V${facts.version}: ${event.title}`,
    text: event.text,
  });
  return { ...notice, level: event.level === 'info' ? 'plain' : 'bad' };
}

export function queueNotice(last: AttemptFacts, words: NoticeWords): Notice {
  const id = `queue_empty:${last.number}:${last.started_at}:${last.ended_at}`;
  const said = { title: 'Nothing is running any more', text: 'All trainings have ended, and none is waiting.' };
  return pageNotice('queue_empty', id, said, '', words);
}

/** A notice that is about no session, with a link to a page. */
export function pageNotice(
  kind: NoticeKind,
  id: string,
  said: { title: string; text: string },
  page: string,
  { store, pageAt }: NoticeWords,
): Notice {
  const url = pageAt(page);
  return { ...plain(kind, id), ...worded(kind, store, { ...said, page: url ?? '' }), url };
}

function plain(kind: NoticeKind, id: string): Omit<Notice, 'title' | 'text'> {
  const { level } = NOTICE_KINDS[kind];
  return {
    id,
    kind,
    level,
    at: new Date().toISOString(),
    session: null,
    url: null,
    facts: {},
    picture: null,
    actions: [],
  };
}

/** The person's own wording of a kind, else the values' `title` and `text`. */
function worded(kind: NoticeKind, store: NoticeStore, values: Values): { title: string; text: string } {
  const own = store.now().wording[kind];
  return {
    title: (own?.title && filled(own.title, values)) || values.title || '',
    text: own?.text ? filled(own.text, values) : (values.text ?? ''),
  };
}

function sessionNotice(
  kind: NoticeKind,
  id: string,
  facts: SessionFacts,
  words: NoticeWords,
  said: { title: string; text: string },
): Notice {
  const { name, lora_name, version, progress, reason_code } = facts;
  const url = words.pageAt(`sessions/${encodeURIComponent(name)}`);
  const values: Values = {
    ...said,
    session: name,
    lora: lora_name,
    version: `V${version}`,
    loss: lossWords(progress.loss),
    step: numberWords(progress.step),
    total_steps: numberWords(progress.total_steps),
    epoch: numberWords(progress.epoch),
    duration: durationWords(secondsTrained(facts, new Date()) ?? 0),
    reason: facts.reason ?? '',
    cost: words.costOf?.(facts) ?? '',
    page: url ?? '',
  };
  const { loss, step, total_steps, epoch } = progress;
  return {
    ...plain(kind, id),
    ...worded(kind, words.store, values),
    session: name,
    url,
    facts: {
      lora_name,
      version,
      status: facts.status,
      loss,
      step,
      total_steps,
      epoch,
      reason: facts.reason,
      reason_code,
    },
  };
}

/** "Loss 0.118 at step 1200 of 2400" */
function progressLine({ loss, step, total_steps: total }: SessionFacts['progress']): string {
  const at =
    step === null
      ? ''
      : `step ${numberWords(step)}${total === null || total === step ? '' : ` of ${numberWords(total)}`}`;
  const shown = lossWords(loss);
  if (!shown) return at && `At ${at}`;
  return `Loss ${shown}${at && ` at ${at}`}`;
}

function costLine(facts: SessionFacts, { costOf }: NoticeWords): string {
  const cost = costOf?.(facts);
  return cost ? `Cost: ${cost}` : '';
}

function lossWords(loss: number | 'nan' | null): string {
  if (loss === null) return '';
  return loss === 'nan' ? 'not a number' : String(Number(loss.toPrecision(3)));
}

function numberWords(value: number | null): string {
  return value === null ? '' : value.toLocaleString('en');
}

function durationWords(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')}`;
}
