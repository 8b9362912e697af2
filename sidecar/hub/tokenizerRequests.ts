import type { ModelRole } from '../models/roles.js';
import { missingTokenizers, TOKENIZERS, wishFor } from '../models/tokenizers.js';
import type { DownloadRequest } from './downloadFacts.js';

/** One download for each tokenizer of a family that is not here. `gated` ones need a licence to be accepted first. */
export async function tokenizerRequests(
  models: string,
  main: ModelRole,
): Promise<(DownloadRequest & { gated: boolean; bytes: number })[]> {
  const missing = await missingTokenizers(models, main);
  return (TOKENIZERS[main] ?? []).filter(({ id }) => missing.includes(id)).map(wishFor);
}
