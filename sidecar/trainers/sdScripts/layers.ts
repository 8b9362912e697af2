import type { ArgumentValue } from '../arguments.js';
import type { TrainingSettings } from '../setting.js';
import type { BaseModel, Family, Flags, Preset } from './family.js';
import { cpuPreset } from './presets.js';

type Chosen = Pick<TrainingSettings, 'base_model' | 'vram'>;

/** All presets of a family, largest GPU first; the last is for the CPU. */
export function presetsOf(family: Family): readonly Preset[] {
  return [...family.presets, cpuPreset];
}

/** The preset that `vram` names; by default the one for the smallest GPU. */
export function presetOf(family: Family, vram: string): Preset {
  return presetsOf(family).find((preset) => preset.vram === vram) ?? (family.presets.at(-1) as Preset);
}

export function baseModelOf(family: Family, value: string): BaseModel {
  return family.baseModels.find((each) => each.value === value) ?? family.baseModels[0];
}

/** The default flags from family, base model and preset, without `false` values. The form shows them as defaults. */
export function givenFlags(family: Family, chosen: Chosen): Flags {
  const { flags: ofModel = {} } = baseModelOf(family, chosen.base_model);
  return withoutOff({ ...family.flags, ...ofModel, ...presetOf(family, chosen.vram).flags });
}

/** The script's flags, beside paths and plain settings: a person's own flags override all but the fixed ones. */
export function effectiveFlags(family: Family, chosen: Chosen, own: Record<string, ArgumentValue>): Flags {
  return withoutOff({
    network_module: family.networkModules[0],
    ...givenFlags(family, chosen),
    ...own,
    ...family.fixed,
  });
}

function withoutOff(flags: Flags): Flags {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== false));
}
