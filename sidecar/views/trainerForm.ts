import type { Argument, ArgumentValue } from '../trainers/arguments.js';
import type { Description } from '../trainers/script/description.js';
import type { Setting } from '../trainers/setting.js';
import type { ModelChoice } from './modelField.js';

/** The chosen trainer, as the form shows it. */
export type TrainerForm = {
  id: string;
  label: string;
  description: string;
  settings: readonly Setting[];
  /** Further flags of its parser, sent as `arguments[<name>]`. */
  further: readonly Argument[];
  /** Its parser is still being asked: `further` is what is known without it. */
  reading?: boolean;
  /** Why its parser could not be asked, in words. */
  unread?: string | null;
  /** What the flags are unless somebody says otherwise: what the family and the chosen preset give. */
  given?: Record<string, ArgumentValue>;
  /** The own form of a script; null where it could not be read (yet). Absent for other trainers. */
  own?: Description | null;
  models?: ModelChoice[];
  /** Why this preset: the GPU that was found, and what the preset does. */
  preset?: string | null;
};
