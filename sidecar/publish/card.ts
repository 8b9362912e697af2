import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifUnreadable } from '../caught.js';
import { readText } from '../files/regularFile.js';
import { writeWhole } from '../files/wholeFile.js';
import type { SessionFacts } from '../sessions/facts.js';
import { checkpointsOf, samplesOf } from '../sessions/products/products.js';
import { promptsOf, promptWords } from '../sessions/products/prompts.js';
import type { CheckpointFacts, SampleFacts } from '../sessions/savedFacts.js';
import type { Session } from '../sessions/status/session.js';
import { baseLicence } from './licences.js';

/** The facts of a model card. */
export type CardFacts = {
  session: SessionFacts;
  checkpoints: readonly CheckpointFacts[];
  /** Newest first. */
  samples: readonly SampleFacts[];
  prompts: readonly string[];
  /** Of Trackside. */
  version: string;
};

export const CARD_FILE = 'README.md';
/** Bytes. */
const LARGEST = 1_000_000;
const MOST_SAMPLES = 6;
const SIGNED = /<!-- written by Trackside, [0-9a-f]{16}: what you change stays as you leave it -->\n$/;

/** Collects the facts of a session's model card. `version` is Trackside's. */
export async function cardFacts(session: Session, version: string): Promise<CardFacts> {
  const [checkpoints, samples, prompts] = await Promise.all([
    checkpointsOf(session),
    samplesOf(session),
    promptsOf(session),
  ]);
  return { session: session.facts, checkpoints, samples, prompts, version };
}

/** Is there a card, and whose is it? We may rewrite `ours`; a card that a person changed is `theirs`. */
export async function cardState(folder: string): Promise<'none' | 'ours' | 'theirs'> {
  const path = join(folder, CARD_FILE);
  const stats = await lstat(path).catch(ifUnreadable(null, 'publish'));
  if (!stats) return 'none';
  if (!stats.isFile() || stats.size > LARGEST) return 'theirs';
  const text = await readText(path, LARGEST, 'refused');
  const body = text.replace(SIGNED, '');
  return body !== text && signed(body) === text ? 'ours' : 'theirs';
}

/** Writes the model card into the session's folder, unless a person wrote or changed the present one. */
export async function writeCard(facts: CardFacts): Promise<'written' | 'kept'> {
  const folder = facts.session.output_path;
  if ((await cardState(folder)) === 'theirs') return 'kept';
  await writeWhole(join(folder, CARD_FILE), modelCard(facts));
  return 'written';
}

/** The card as the hub reads it: YAML facts, then Markdown for people. It mentions no folder of this machine. */
export function modelCard(facts: CardFacts): string {
  const { session, prompts } = facts;
  const samples = newest(facts.samples);
  const trigger = String(session.settings.concept_sentence ?? '').trim();
  const licence = baseLicence(String(session.settings.base_model ?? ''));
  const body = [
    frontMatter(facts, samples, trigger),
    `# ${plain(session.lora_name)}\n`,
    session.description ? `${plain(session.description)}\n` : '',
    trigger ? `Trigger word: \`${trigger.replaceAll('`', 'ˋ')}\`\n` : '',
    samples.length > 0 ? `## Samples\n\n${samples.map((sample) => picture(sample, prompts)).join('\n\n')}\n` : '',
    `## Training\n\n${table(trainingRows(facts))}\n`,
    checkpointList(facts.checkpoints),
    licence
      ? `## Licence\n\n${licence.means} Base model: [${licence.repo}](https://huggingface.co/${licence.repo}).\n`
      : '',
    `Trained with Trackside ${facts.version}.\n`,
  ];
  return signed(`${body.filter(Boolean).join('\n')}\n`);
}

function signed(body: string): string {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16);
  return `${body}<!-- written by Trackside, ${hash}: what you change stays as you leave it -->\n`;
}

/** Every string as JSON writes it, which YAML reads as it is. */
function frontMatter({ session, prompts }: CardFacts, samples: readonly SampleFacts[], trigger: string): string {
  const licence = baseLicence(String(session.settings.base_model ?? ''));
  const widget = samples.flatMap((sample) => [
    `- text: ${quote(promptWords(prompts[sample.prompt]) || trigger || session.lora_name)}`,
    '  output:',
    `    url: ${quote(`sample/${sample.name}`)}`,
  ]);
  const lines = [
    licence && `license: ${licence.id}`,
    licence?.name && `license_name: ${licence.name}`,
    licence?.link && `license_link: ${licence.link}`,
    licence && `base_model: ${licence.repo}\nbase_model_relation: adapter`,
    'pipeline_tag: text-to-image',
    'tags:',
    ...['text-to-image', 'lora', 'template:sd-lora', 'trackside'].map((tag) => `- ${tag}`),
    trigger && `instance_prompt: ${quote(trigger)}`,
    ...(widget.length > 0 ? ['widget:', ...widget] : []),
  ];
  return `---\n${lines.filter(Boolean).join('\n')}\n---\n`;
}

/** The newest picture of each prompt. */
function newest(samples: readonly SampleFacts[]): SampleFacts[] {
  const first = new Map<number, SampleFacts>();
  for (const sample of samples) if (!first.has(sample.prompt)) first.set(sample.prompt, sample);
  return [...first.values()].sort((a, b) => a.prompt - b.prompt).slice(0, MOST_SAMPLES);
}

function picture(sample: SampleFacts, prompts: readonly string[]): string {
  const prompt = plain(promptWords(prompts[sample.prompt]));
  return `![${prompt || 'sample'}](sample/${encodeURIComponent(sample.name)})${prompt ? `\n\n*${prompt}*` : ''}`;
}

function trainingRows({ session }: CardFacts): [string, unknown][] {
  const { settings, progress, attempts } = session;
  const dataset = settings.dataset as { images?: number } | undefined;
  const repeats = Number(settings.num_repeats);
  const pictures = dataset?.images ? `${dataset.images}${repeats > 1 ? ` × ${repeats} repeats` : ''}` : null;
  const resumes = attempts.filter(({ kind }) => kind === 'resume').length;
  return [
    ['Base model', settings.base_model],
    ['Trainer', session.trainer],
    ['Pictures', pictures],
    ['Resolution', settings.resolution],
    ['Epochs', progress.epochs ?? settings.max_train_epochs],
    ['Steps', progress.total_steps ?? progress.step],
    ['Network dimension', settings.network_dim],
    ['Learning rate', settings.learning_rate],
    ['Seed', settings.seed],
    ['Last loss', progress.loss],
    ['Resumed', resumes > 0 ? (resumes === 1 ? 'once' : `${resumes} times`) : null],
    ['Completed', session.completed_at?.slice(0, 10)],
  ];
}

function table(rows: readonly [string, unknown][]): string {
  const shown = rows.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return ['| | |', '|---|---|', ...shown.map(([name, value]) => `| ${name} | ${plain(String(value))} |`)].join('\n');
}

function checkpointList(checkpoints: readonly CheckpointFacts[]): string {
  const own = checkpoints.filter(({ path, problem }) => !path.includes('/') && !problem);
  if (own.length === 0) return '';
  const place = ({ kind, epoch, step }: CheckpointFacts) =>
    kind === 'final' ? 'the final one' : kind === 'step' ? `step ${step}` : `epoch ${epoch}`;
  return `## Checkpoints\n\n${own.map((each) => `- \`${each.name}\`: ${place(each)}`).join('\n')}\n`;
}

/** Escapes typed text, so that it is neither Markdown nor HTML. */
function plain(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]|~#]/g, '\\$&')
    .replaceAll('<', '&lt;')
    .trim();
}

function quote(text: string): string {
  return JSON.stringify(text);
}
