import type { SdScriptsFacts } from '../trainers/sdScripts/facts.js';
import type { PageModel } from './frame.js';

export type TrainersModel = PageModel & {
  trainers: {
    id: string;
    label: string;
    description: string;
    needs: { label: string; here: number; required: boolean }[];
  }[];
  sdScripts: SdScriptsFacts;
};

export type TrainersView = ReturnType<typeof trainersView>;

/** What can be trained here, and what there is of sd-scripts. */
export function trainersView({ root, trainers, sdScripts }: TrainersModel) {
  const { path, commit, python, python_from, python_version, packages, gpus, missing, looked_in } = sdScripts;
  const version = (name: string) => packages.find((each) => each.name === name)?.installed ?? 'missing';
  const cards = gpus.map(
    ({ index, name, memory_total }) =>
      `${index}: ${name}, ${memory_total === null ? 'memory unknown' : `${Math.round(memory_total / 1024 ** 3)} GB`}`,
  );
  const checkout = [
    { name: 'Folder', value: path ?? '' },
    { name: 'Commit', value: commit?.slice(0, 10) ?? 'unknown: no git history' },
    { name: 'Python', value: `${python_version ?? "doesn't answer"} · ${python}, from ${python_from}` },
    { name: 'torch', value: version('torch') },
    { name: 'accelerate', value: version('accelerate') },
    { name: 'GPUs', value: cards.join('; ') || 'none' },
    ...(gpus[0] ? [{ name: 'Driver', value: gpus[0].driver }] : []),
  ];
  return {
    /** Facts of the checkout by name; empty where there is none. */
    checkout: path ? checkout : [],
    missing,
    /** The commands that install it. */
    install: INSTALL,
    lookedIn: looked_in,
    trainers: trainers.map(({ id, label, description, needs }) => ({
      label,
      description,
      needs: needsOf(needs),
      href: `${root}new?${new URLSearchParams({ trainer: id })}`,
    })),
  };
}

/** The pins of its own requirements (sd-scripts README, "Linux Installation and Upgrade"). */
const INSTALL = [
  'git clone https://github.com/kohya-ss/sd-scripts /workspace/sd-scripts',
  'cd /workspace/sd-scripts && python3 -m venv venv',
  'venv/bin/pip install torch==2.6.0 torchvision==0.21.0',
  'venv/bin/pip install -r requirements.txt',
].join('\n');

/** "Still to download: the model, CLIP-L." */
function needsOf(needs: TrainersModel['trainers'][number]['needs']): string | null {
  const required = needs.filter((need) => need.required);
  if (required.length === 0) return null;
  const missing = required
    .filter(({ here }) => here === 0)
    .map(({ label }) => (label === 'Model' ? 'the model' : label));
  if (missing.length === 0) return 'All model files found.';
  if (missing.length === required.length) return `Model files to download: ${missing.join(', ')}.`;
  return `Still to download: ${missing.join(', ')}.`;
}
