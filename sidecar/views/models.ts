import type { DatasetDetail, DatasetFacts } from '../datasets/facts.js';
import type { TrashEntry } from '../datasets/trash.js';
import type { UploadFacts } from '../datasets/uploads/facts.js';
import type { PublishFacts } from '../publish/publishFacts.js';
import type { SecretFacts } from '../security/secrets.js';
import type {
  CheckpointFacts,
  HandRunFacts,
  KeptEarlier,
  SampleFacts,
  SessionFacts,
  StateFacts,
} from '../sessions/facts.js';
import type { Preflight } from '../sessions/preflight/preflight.js';
import type { DiskTrouble } from '../telemetry/diskTrouble.js';
import type { Argument, ArgumentValue } from '../trainers/arguments.js';
import type { Setting } from '../trainers/setting.js';
import type { ModelNeed } from '../trainers/trainer.js';

/** What every page is given. `root` leads from the page's address back to the site's root: '', '../' or '../../'. */
export type PageModel = {
  root: string;
  now: Date;
  /** The Active Sessions banner; on a session's own page the others. What lives first, then newest first. */
  active: SessionFacts[];
  /** Free space where outputs are written, in bytes; null where unknown. */
  disk?: { freeBytes: number; totalBytes: number } | null;
  /** Folders that can't be written now. */
  troubles?: DiskTrouble[];
};

export type BannerModel = Pick<PageModel, 'root' | 'now' | 'active' | 'troubles'> & {
  /** What an action leads back to: `home` or, where absent, the session's page. Sent as the field `page`. */
  page?: 'home';
};

export type SessionsTableModel = {
  root: string;
  now: Date;
  /** The rows of this page, newest first. */
  sessions: SessionFacts[];
  /** How many sessions the query finds, over all pages. */
  total: number;
  query: string;
  /** From 1. */
  page: number;
  pages: number;
};

export type HomeModel = PageModel &
  SessionsTableModel & {
    /** Trainings that somebody started in a terminal, and that write elsewhere. */
    others?: HandRunFacts[];
  };

/** One loss as reported at an absolute step, by the attempt of that number. */
export type CurvePoint = { step: number; loss: number; attempt: number };

export type SessionModel = PageModel & {
  session: SessionFacts;
  states: StateFacts[];
  checkpoints: CheckpointFacts[];
  samples: SampleFacts[];
  kept: KeptEarlier;
  /** The sample prompts, in the order that `SampleFacts.prompt` counts. */
  prompts: string[];
  /** The end of training.log, each line as it stood last. */
  logTail: string;
  /** `<inode>:<byte offset>` just after `logTail`; the page's stream goes on from there. */
  logPosition: string;
  /** Names in the session's folder. */
  entries: readonly string[];
  /** At most a few thousand points, oldest first. */
  curve: CurvePoint[];
  /** What was found before a start; null where nothing can be started, or it was not looked at. */
  preflight?: Preflight | null;
  /** What the section “Publish” shows; absent where there is nothing to publish. */
  publish?: PublishFacts | null;
};

export type SamplesModel = PageModel & Pick<SessionModel, 'session' | 'samples' | 'kept' | 'prompts'>;

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
  models?: ModelChoice[];
  /** Why this preset: the GPU that was found, and what the preset does. */
  preset?: string | null;
  /** What would be missed when it is started: one sentence each. */
  warnings?: string[];
};

/** A model file to choose. */
export type ModelChoice = ModelNeed & {
  /** What is there, the best first. */
  files: { path: string; label: string }[];
  /** It may be left out, for it lies inside the main model. */
  inside: boolean;
};

export type NewTrainingModel = PageModel & {
  datasets: DatasetFacts[];
  /** The chosen one. */
  dataset: DatasetDetail | null;
  /** What can be chosen, `group` after `group`. */
  trainers: { id: string; label: string; group: string }[];
  trainer: TrainerForm | null;
  /** Why there is no sd-scripts here, in words; null where there is one. */
  noCheckout?: string | null;
  /** What was typed, or what `?from=` fills in, by field (further flags as `arguments.<name>`); absent shows the default. */
  values: Record<string, string>;
  /** Were they typed, or taken from a session? Then what the browser kept of an earlier visit is not put over them. */
  given: boolean;
  /** One sentence a field, named as in `values`. */
  errors: Record<string, string>;
  /** What is wrong beyond the fields, with where to look. */
  problem: { message: string; link?: string | undefined } | null;
  formId: string;
  /** LoRAs that exist: name, folder of the first version, and the version that the next session would be. */
  loras: { name: string; folder: string; next: number }[];
  /** The draft that is edited; null for a new training. */
  draft?: { name: string; version: number } | null;
};

/** What there is of sd-scripts; all null where it was not found. `missing`: sentences, each with what to do. */
export type SdScriptsFacts = {
  path: string | null;
  commit: string | null;
  python: string | null;
  python_from: string | null;
  python_version: string | null;
  packages: { name: string; wanted: string | null; installed: string | null }[];
  gpus: { index: number; name: string; memory_total: number; driver: string }[];
  missing: string[];
  /** Where it was looked for in vain. */
  looked_in: string[];
};

export type TrainersModel = PageModel & {
  trainers: {
    id: string;
    label: string;
    description: string;
    needs: { label: string; here: number; required: boolean }[];
  }[];
  sdScripts: SdScriptsFacts;
};

export type DatasetsModel = PageModel & {
  datasets: DatasetFacts[];
  /** Datasets that were put away, newest first. */
  removed?: (TrashEntry & { dataset: string })[];
  values: Record<string, string>;
  errors: Record<string, string>;
};

export type DatasetModel = PageModel & {
  dataset: DatasetDetail;
  /** What the last upload did, in words, and what it refused. */
  notice?: string | null;
  refused?: { file: string; reason: string }[];
  /** Uploads that have not arrived whole, and what was put away, newest first. */
  unfinished?: UploadFacts[];
  trash?: TrashEntry[];
};

export type LoginModel = {
  root: string;
  /** Where to go once logged in, relative to the site's root. */
  back: string;
  message: string | null;
  /** The same address once more, to be asked at once: the browser may have held its login back. */
  again: string | null;
};

export type SecretsModel = PageModel & { secrets: SecretFacts[] };

export type ProblemModel = {
  root: string;
  status: number;
  code: string;
  /** What happened, what was not lost, what to do. */
  message: string;
  /** Where to go from here, relative to the site's root. */
  link?: string | undefined;
};
