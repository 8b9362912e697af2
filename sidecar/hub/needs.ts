import { type ModelFile, type ModelRole, roleNames } from '../models/roles.js';
import { missingTokenizers } from '../models/tokenizers.js';
import { chooseModels, missingModels, modelsFor } from '../trainers/modelNeeds.js';
import type { Family } from '../trainers/sdScripts/family.js';
import type { HubSource } from './sources.js';

/** One model that a family needs: the files that are here, and its sources on the hub. */
export type NeedFacts = {
  role: ModelRole;
  label: string;
  required: boolean;
  /** Paths of usable files. */
  here: string[];
  /** Required, neither here nor inside the main model. */
  missing: boolean;
  sources: readonly HubSource[];
};

export type FamilyNeeds = {
  id: string;
  label: string;
  needs: NeedFacts[];
  /** Ids of tokenizers that a training would download. */
  tokenizers: string[];
  /** Everything required is here, except tokenizers, which a trainer can download itself. */
  ready: boolean;
};

/** Lists the models that each family needs, those that are here, and their sources. `models` is the models folder. */
export function familyNeeds(
  families: readonly Family[],
  files: readonly ModelFile[],
  models: string,
  sources: readonly HubSource[],
): Promise<FamilyNeeds[]> {
  return Promise.all(
    families.map(async ({ id, label, needs }) => {
      const trainer = { models: needs, settings: [] };
      const missing = missingModels(trainer, chooseModels(trainer, '', {}, files), files);
      const facts = needs.map((need) => ({
        role: need.role,
        label: need === needs[0] ? roleNames[need.role] : need.label,
        required: need.required,
        here: modelsFor(need, files).map(({ path }) => path),
        missing: missing.includes(need),
        sources: sources.filter(({ role }) => role === need.role),
      }));
      const main = needs[0]?.role;
      const tokenizers = main ? await missingTokenizers(models, main) : [];
      return { id, label, needs: facts, tokenizers, ready: missing.length === 0 };
    }),
  );
}
