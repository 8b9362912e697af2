import type { QueueFacts, SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { attemptWord } from '../sessions/status/attempts.js';
import { isChangeable } from '../sessions/status/queued.js';
import { sessionAddress } from './action.js';
import { elementId, plural } from './formatting.js';
import type { PageModel } from './frame.js';
import { statusView } from './status.js';
import { waitsView } from './why.js';

export type QueueModel = PageModel & {
  /** In the order of the queue. */
  queued: (SessionFacts & { queue: QueueFacts })[];
};

export type QueueView = ReturnType<typeof queueView>;

export function queueView({ queued, root }: QueueModel) {
  const held = queued.filter(({ queue }) => queue.held || queue.failed !== null).length;
  return {
    address: `${root}queue?_method=PATCH`,
    count: plural(queued.length, 'training'),
    rows: queued.map((session, at) => rowView(session, at, queued.length, root)),
    /** What the button for all does: null where all are so already. */
    canHoldAll: held < queued.length,
    canReleaseAll: held > 0,
  };
}

function rowView(session: QueueModel['queued'][number], at: number, all: number, root: string) {
  const { queue, name } = session;
  const href = sessionAddress(root, name);
  const rests = queue.held || queue.failed !== null;
  return {
    id: elementId('queued', name),
    name,
    place: at + 1,
    title: `${session.lora_name} ${versionName(session)}`,
    lora: session.lora_name,
    version: versionName(session),
    href,
    edit: isChangeable(session) ? `${root}new?draft=${encodeURIComponent(name)}` : null,
    status: statusView({ ...session, queue: { ...queue, place: null } }),
    what: attemptWord({ automatic: false, kind: queue.kind }),
    /** " on GPU 0"; empty where it asks for no GPU by its number. */
    gpus: queue.gpus.trim() === '' ? '' : ` on GPU ${queue.gpus}`,
    waits: waitsView(queue),
    queuedAt: queue.queued_at,
    hold: rests ? { label: 'Release', value: 'false' } : { label: 'Hold', value: 'true' },
    retries: queue.retry_smaller,
    /** Null without a preset, which has no smaller one. */
    retry: session.settings.vram ? retryView(queue.retry_smaller) : null,
    isFirst: at === 0,
    isLast: at === all - 1,
  };
}

function retryView(on: boolean) {
  return on ? { label: 'Don’t retry smaller', value: 'false' } : { label: 'Retry smaller', value: 'true' };
}
