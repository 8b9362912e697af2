import { versionName } from '../sessions/names.js';
import type { Provenance } from '../sessions/provenance/provenance.js';
import type { SampleFacts } from '../sessions/savedFacts.js';
import { secondsTrained } from '../sessions/status/secondsTrained.js';
import { attemptsView } from './attempts.js';
import { lossView } from './chart.js';
import { bytes, count, duration, joined, loss } from './formatting.js';
import type { SessionModel } from './session.js';
import { type NamedValue, settingsView } from './settings.js';
import { statusView } from './status.js';

export type ReportModel = SessionModel & {
  /** Samples as data URIs. */
  pictures: { sample: SampleFacts; uri: string }[];
  provenance: Provenance | null;
  /** Trackside's. */
  version: string;
};

export type ReportView = ReturnType<typeof reportView>;

/** A session as one file to send to a colleague. `css` is the sheet that it brings along. */
export function reportView(model: ReportModel, css: string) {
  const { session, provenance, now, prompts } = model;
  const { results, progress } = session;
  return {
    css,
    title: `${session.lora_name} ${versionName(session)}`,
    about: session.description,
    notes: session.notes,
    status: statusView(session).word,
    reason: session.reason ?? '',
    made: now.toISOString().slice(0, 16).replace('T', ' '),
    version: model.version,
    numbers: [
      { name: 'Steps', value: count(progress.step ?? results?.steps) },
      { name: 'Epochs', value: count(progress.epoch) },
      { name: 'Training time', value: duration(secondsTrained(session, now)) },
      { name: 'Final loss', value: loss(results?.final_loss) },
      { name: 'Best loss', value: loss(results?.best_loss) },
    ],
    loss: lossView(model.curve, session, ''),
    settings: settingsView(session),
    samples: model.pictures.map(({ sample, uri }) => ({
      uri,
      label: joined(
        sample.step !== null && `step ${count(sample.step)}`,
        sample.epoch !== null && `epoch ${count(sample.epoch)}`,
        sample.seed !== null && `seed ${sample.seed}`,
      ),
      prompt: prompts[sample.prompt] ?? '',
    })),
    attempts: attemptsView(session, model.states, now)?.attempts ?? [],
    environment: environmentOf(provenance),
    dataset: datasetOf(provenance),
    command: provenance?.command.argv.join(' ') ?? session.attempts[0]?.argv.join(' ') ?? '',
    packages: provenance?.packages ?? [],
    uncommitted: provenance?.trainer.uncommitted ?? '',
  };
}

function environmentOf(provenance: Provenance | null): NamedValue[] {
  if (!provenance) return [];
  const { environment, trainer, models, seed } = provenance;
  return [
    { name: 'Trainer', value: joined(trainer.id, trainer.commit && `commit ${trainer.commit}`) },
    { name: 'Seed', value: String(seed ?? '–') },
    ...Object.entries(environment)
      .filter(([name, value]) => value && name !== 'trainer_commit')
      .map(([name, value]) => ({ name, value: value ?? '' })),
    ...models.map(({ flag, path, bytes: size, sha256 }) => ({
      name: `--${flag}`,
      value: joined(path, bytes(size), sha256 && `sha256 ${sha256}`),
    })),
  ];
}

function datasetOf(provenance: Provenance | null): NamedValue[] {
  const dataset = provenance?.dataset;
  if (!dataset) return [];
  const { pictures, text } = dataset;
  const spread = (of: typeof text.tokens) =>
    of === null ? '–' : `mean ${of.mean}, median ${of.median}, 95 % at most ${of.p95}, longest ${of.max}`;
  const most = (of: Record<string, number>) =>
    Object.entries(of)
      .slice(0, 20)
      .map(([word, times]) => `${word} (${times})`)
      .join(', ');
  return [
    { name: 'Dataset', value: joined(dataset.name, `fingerprint ${dataset.fingerprint}`) },
    { name: 'Pictures', value: joined(count(pictures.count), bytes(pictures.bytes)) },
    { name: 'Sizes', value: most(pictures.sizes) },
    { name: 'Captions', value: joined(count(text.captions), `${count(text.without)} pictures without`) },
    { name: 'Tokens of a caption', value: joined(spread(text.tokens), text.tokens && countedBy(text.tokenizer)) },
    { name: 'Tags', value: most(text.tags) },
  ];
}

function countedBy(tokenizer: string | undefined): string {
  return tokenizer ? `by ${tokenizer}` : 'at least: words and signs, for CLIP’s tokenizer was not on the pod';
}
