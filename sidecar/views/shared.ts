import type { SessionFacts } from '../sessions/facts.js';
import type { SampleFacts } from '../sessions/savedFacts.js';
import { isAliveOrPending } from '../sessions/status/alive.js';
import { type CurvePoint, lossView } from './chart.js';
import { count, duration, leftLabel, loss, percent } from './formatting.js';
import { statusView } from './status.js';

/** What a read-only link tells of a session: no notes, no paths, no command lines, no processes. */
export function sharedFacts(session: SessionFacts) {
  const { name, lora_name, version, trainer, status, interrupted, description, progress, loss_curve } = session;
  const { base_model, max_train_epochs, num_repeats, resolution, learning_rate, network_dim, seed, sample_prompts } =
    session.settings;
  return {
    name,
    lora_name,
    version,
    trainer,
    status,
    interrupted,
    description,
    progress,
    loss_curve,
    attempts: session.attempts.map(({ number, kind, started_at, ended_at }) => ({
      number,
      kind,
      started_at,
      ended_at,
    })),
    settings: {
      base_model,
      max_train_epochs,
      num_repeats,
      resolution,
      learning_rate,
      network_dim,
      seed,
      sample_prompts,
    },
  };
}

export type SharedFacts = ReturnType<typeof sharedFacts>;

type Around = { root: string; now: Date; expires_at: string };

export type SharedListModel = Around & { key: string; about: string; name: string; sessions: SharedFacts[] };
export type SharedListView = ReturnType<typeof sharedListView>;

export function sharedListView({ key, about, name, sessions, expires_at, root }: SharedListModel) {
  return {
    title: about === 'lora' ? `${name}: all versions` : name,
    expires: expires_at,
    sessions: sessions.map((each) => ({
      href: `${root}shared/${encodeURIComponent(key)}/${encodeURIComponent(each.name)}`,
      name: `${each.lora_name} V${each.version}`,
      status: statusView({
        ...each,
        stopped_by: null,
        queue: null,
        record: 'whole',
        stalled_seconds: null,
        by_hand: null,
      }),
      done: percent(each.progress.percent),
      loss: loss(each.progress.loss),
    })),
  };
}

export type SharedModel = Around & {
  session: SessionFacts;
  samples: SampleFacts[];
  curve: CurvePoint[];
  log: string;
};
export type SharedView = ReturnType<typeof sharedView>;

const MOST_SAMPLES = 60;

export function sharedView({ session, samples, curve, log, expires_at }: SharedModel) {
  const { name, lora_name, version, progress, status } = session;
  const address = encodeURIComponent(name);
  return {
    title: `${lora_name} V${version}`,
    description: session.description,
    status: statusView(session),
    /** Seconds after which the page is loaded again; null where nothing changes any more. */
    again: isAliveOrPending(session) ? 15 : null,
    numbers: [
      { label: 'step', value: `${count(progress.step)} / ${count(progress.total_steps)}` },
      { label: 'epoch', value: `${count(progress.epoch)} / ${count(progress.epochs)}` },
      { label: 'loss', value: loss(progress.loss) },
      ...(isAliveOrPending(session)
        ? [{ label: leftLabel(progress.eta_guessed), value: duration(progress.eta_seconds) }]
        : []),
    ],
    percent: status === 'draft' ? null : progress.percent,
    loss: lossView(curve, session, ''),
    samples: samples.slice(0, MOST_SAMPLES).map((each) => ({
      href: `${address}/samples/${encodeURIComponent(each.name)}`,
      words: [each.step === null ? `epoch ${each.epoch}` : `step ${each.step}`, `prompt ${each.prompt + 1}`].join(', '),
    })),
    log,
    expires: expires_at,
  };
}
