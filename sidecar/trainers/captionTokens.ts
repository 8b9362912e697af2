import { join } from 'node:path';
import { z } from 'zod';
import { ifUnreadable } from '../caught.js';
import { runCommand } from '../processes/run.js';

/** The one that counts, by the id under which trainers request it: what Stable Diffusion and FLUX read a caption with first. */
export const CLIP = 'openai/clip-vit-large-patch14';

const counts = z.array(z.number()).nullable();

/** Of the package `tokenizers`, which transformers needs: it is where a trainer reads captions with CLIP. */
const SCRIPT = `
import glob, json, sys
try: from tokenizers import Tokenizer
except ImportError: print("null"); sys.exit()
record, *places = sys.argv[1:]
found = [path for place in places for path in sorted(glob.glob(place))]
if not found: print("null"); sys.exit()
tokenizer = Tokenizer.from_file(found[0])
tokenizer.no_truncation(); tokenizer.no_padding()
with open(record, encoding="utf-8") as file: captions = [each["caption"] for each in json.load(file)["dataset"]["files"]]
print(json.dumps([len(each.ids) for each in tokenizer.encode_batch([text for text in captions if text is not None], add_special_tokens=False)]))
`;

/**
 * How many tokens CLIP makes of each caption of a record (provenance.json), without its begin and end; null where the trainer's
 * interpreter, or the pod, has no tokenizer of it. `folders` are those that hold tokenizers as sd-scripts keeps them, and
 * caches of the hub.
 */
export function clipTokens(
  python: string,
  record: string,
  folders: { own: string; hub: string },
): Promise<number[] | null> {
  const flat = join(folders.own, CLIP.replaceAll('/', '_'), 'tokenizer.json');
  const cached = join(`models--${CLIP.replaceAll('/', '--')}`, 'snapshots', '*', 'tokenizer.json');
  const argv = [python, '-c', SCRIPT, record, flat, join(folders.own, cached), join(folders.hub, cached)];
  return runCommand({ argv, patience: 60_000 }).then(
    (printed) => counts.parse(JSON.parse(printed)),
    ifUnreadable(null, 'trainers'),
  );
}
