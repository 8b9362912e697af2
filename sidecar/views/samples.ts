import { memoByObject } from '../files/memoByObject.js';
import type { SessionFacts } from '../sessions/facts.js';
import { versionName } from '../sessions/names.js';
import { promptWords } from '../sessions/products/prompts.js';
import type { KeptEarlier, SampleFacts } from '../sessions/savedFacts.js';
import { isChangeable } from '../sessions/status/queued.js';
import { readsPromptsEachTime } from '../trainers/sdScripts/families.js';
import { sampleAddress, sessionAddress } from './action.js';
import { askView } from './ask.js';
import { cardView } from './banner.js';
import { count } from './formatting.js';
import type { PageModel } from './frame.js';

export type SamplesModel = PageModel & {
  session: SessionFacts;
  samples: SampleFacts[];
  kept: KeptEarlier;
  /** The sample prompts, in the order that `SampleFacts.prompt` counts. */
  prompts: string[];
  /** All versions of the LoRA, on the page of samples. */
  versions?: Pick<SessionFacts, 'name' | 'version' | 'version_name'>[];
};

/** Sample pictures by when they were made × prompt. */
export type SampleGrid = { columns: string[]; rows: { label: string; cells: (SampleCell | null)[] }[] };
export type SampleCell = {
  name: string;
  href: string;
  alt: string;
  seed: string;
  /** Of steps that were trained again. */
  lost: boolean;
  best: boolean;
};

export type SamplesView = ReturnType<typeof samplesView>;

/** `kept`: folders of earlier/ that hold samples, shown where there are none else. */
export function samplesView(model: SamplesModel) {
  const at = sessionAddress(model.root, model.session.name);
  const { prompts, times } = arranged(model.samples, model.prompts.join('\n'), at, model.session.best_sample);
  const { lora, version, status } = cardView(model.session, model.root);
  const grid = times.length > 0 ? { columns: prompts, rows: times } : null;
  const others = (model.versions ?? []).filter(({ name }) => name !== model.session.name);
  return {
    at,
    name: model.session.name,
    lora,
    version,
    status,
    grid,
    kept: model.kept.samples,
    best: model.session.best_sample ?? '',
    title: `${lora} ${version}`,
    /** The other versions of the LoRA, as JSON for the viewer. */
    versions: JSON.stringify(others.map((each) => ({ name: each.name, label: `${lora} ${versionName(each)}` }))),
    count: model.samples.length,
  };
}

export type SamplesPartView = NonNullable<ReturnType<typeof samplesPartView>>;

/** The section "Samples" of a session's page; `all`: where all of them are. */
export function samplesPartView(model: SamplesModel, at: string) {
  const { session, samples, kept } = model;
  if (isChangeable(session) && samples.length + kept.samples.length === 0) return null;
  const grid = newestSamples(model, at);
  return {
    grid,
    kept: kept.samples,
    /** Until the first, nobody knows how long they take. */
    guessed: session.progress.eta_guessed,
    all: grid && `${at}/samples`,
    ask: askView(session, at, 'sample', 'Sample now'),
    /** Prompts for these pictures alone can be typed. */
    takesPrompts: readsPromptsEachTime(session.trainer ?? ''),
  };
}

/** The last few, newest first; one or two prompts run across the page, so that the pictures stay small and comparable. */
function newestSamples(model: SamplesModel, at: string): SampleGrid | null {
  const { prompts, times } = arranged(model.samples, model.prompts.join('\n'), at, model.session.best_sample);
  const newest = times.slice(0, prompts.length > 2 ? 2 : 4);
  if (newest.length === 0) return null;
  if (prompts.length > 2) return { columns: prompts, rows: newest };
  const rows = prompts.map((label, prompt) => ({ label, cells: newest.map(({ cells }) => cells[prompt] ?? null) }));
  return { columns: newest.map(({ label }) => label), rows };
}

type Arranged = { prompts: string[]; times: SampleGrid['rows'] };

/** `lines`: the prompts, a line each. */
const arranged = memoByObject((samples: SampleFacts[], lines: string, at: string, best: string | null): Arranged => {
  const prompts = lines.split('\n');
  const times = new Map<string, SampleFacts[]>();
  const newestFirst = [...samples].sort(byPlace(samples));
  for (const sample of newestFirst) {
    const label = when(sample);
    const made = times.get(label) ?? [];
    times.set(label, made);
    // Newest first: a picture made again after a resume stands for the one it replaced.
    made[sample.prompt] ??= sample;
  }
  const columns = Math.max(0, ...[...times.values()].map((made) => made.length));
  const labels = Array.from({ length: columns }, (_, i) => promptWords(prompts[i]) || `prompt ${i + 1}`);
  return {
    prompts: labels,
    times: [...times].map(([label, made]) => ({ label, cells: labels.map(cell(label, made)) })),
  };

  function cell(label: string, made: SampleFacts[]) {
    return (prompt: string, i: number): SampleCell | null => {
      const sample = made[i];
      if (!sample) return null;
      const { name, seed, lost } = sample;
      const href = sampleAddress(at, name);
      return { name, href, alt: `${label}: ${prompt}`, seed: seed ?? '', lost, best: name === best };
    };
  }
});

/** By step or by epoch where all have one, what was trained again behind what replaced it; else by time. ISO: earlier is less. */
function byPlace(samples: SampleFacts[]): (a: SampleFacts, b: SampleFacts) => number {
  const place = (['step', 'epoch'] as const).find((each) => samples.every((sample) => sample[each] !== null));
  return (a, b) => {
    const apart = place ? Number(b[place]) - Number(a[place]) : 0;
    return apart || Number(a.lost) - Number(b.lost) || (a.saved_at < b.saved_at ? 1 : a.saved_at > b.saved_at ? -1 : 0);
  };
}

function when({ epoch, step }: SampleFacts): string {
  if (epoch !== null) return `epoch ${count(epoch)}`;
  return step !== null ? `step ${count(step)}` : 'at start';
}
