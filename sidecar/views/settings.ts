import type { SessionFacts } from '../sessions/facts.js';
import type { ClusterField } from '../sessions/versions/clusterFields.js';
import { practiceTrainer } from '../trainers/practice.js';
import { findFamily } from '../trainers/sdScripts/families.js';
import { settingsOf } from '../trainers/sdScripts/settingsTable.js';
import type { SettingName } from '../trainers/setting.js';
import { setting } from '../trainers/trainingSettings.js';
import { CLUSTER_WORDS, LAUNCHER_WORDS } from './where.js';

export type NamedValue = { name: string; value: string };

/** `fixed`: a resume keeps it as it was at the start. */
export type SettingValue = NamedValue & { fixed: boolean };

/**
 * The settings of a session as run, each with its label and unit; further flags by their own names. Of a session that can
 * be resumed, what a resume cannot change is marked.
 */
export function settingsView(session: SessionFacts): SettingValue[] {
  // What an attempt was resumed from stands with the attempts.
  const { arguments: further, resume_from_checkpoint: _, ...settings } = session.settings;
  const resumable = session.resume !== null;
  const flags = further && typeof further === 'object' && !Array.isArray(further) ? Object.entries(further) : [];
  return [
    { name: 'Trainer', value: session.trainer ?? 'unknown', fixed: false },
    ...Object.entries(settings)
      .filter(([key, value]) => value !== '' && value != null && isOf(session.trainer ?? '', key))
      .map(([key, value]) => {
        const { label, unit, fixed } = wording(key);
        const counted = value === 1 ? unit?.replace(/s$/, '') : unit;
        const said = key === 'launcher' ? LAUNCHER_WORDS[value === 'slurm' ? 'slurm' : 'local'] : valueText(value);
        return { name: label, value: `${said}${counted ? ` ${counted}` : ''}`, fixed: resumable && fixed };
      }),
    ...flags.map(([flag, value]) => ({
      name: `--${flag.replace(/^--/, '')}`,
      value: valueText(value),
      fixed: resumable,
    })),
  ];
}

/** Every record has all settings, also those that its trainer knows nothing of: "guidance" of the practice trainer. */
function isOf(trainer: string, key: string): boolean {
  const family = findFamily(trainer);
  const its = trainer === practiceTrainer.id ? practiceTrainer.settings : family && settingsOf(family);
  const isField = setting(key as SettingName).label !== undefined;
  return !its || !isField || its.some(({ name }) => name === key);
}

/** As the form calls it; by its own name where the form has no field for it. */
function wording(key: string): { label: string; unit: string | null; fixed: boolean } {
  if (key === 'launcher') return { label: 'Runs on', unit: null, fixed: false };
  if (key in CLUSTER_WORDS) {
    const { label, unit = null } = CLUSTER_WORDS[key as ClusterField];
    return { label, unit, fixed: false };
  }
  if (key === 'lora_name') return { label: 'LoRA name', unit: null, fixed: false };
  const known = setting(key as SettingName);
  return { label: known.label ?? key, unit: known.unit, fixed: known.fixedOnResume };
}

/** What a value of a record is called: a setting as the form calls it, `arguments.x` as the flag `--x`. */
export function settingLabel(name: string): string {
  if (name.startsWith('arguments.')) return `--${name.slice('arguments.'.length)}`;
  return ABOUT[name] ?? wording(name).label;
}

const ABOUT: Record<string, string> = {
  trainer: 'Trainer',
  dataset: 'Dataset',
  'dataset.images': 'Pictures',
  'dataset.captions': 'Captions',
  'dataset.fingerprint': 'Fingerprint of the pictures',
};

export function valueText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
