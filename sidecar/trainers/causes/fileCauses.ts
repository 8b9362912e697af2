import { type Clue, flagIn, type KnownCause } from './cause.js';

/** The file of which the trainer spoke last before it failed: a picture, a caption, a model. Null where it named none. */
function fileBefore({ evidence }: Clue, patterns: readonly RegExp[]): string | null {
  for (const said of evidence.saidBefore) {
    for (const pattern of patterns) {
      const found = pattern.exec(said)?.[1];
      if (found) return found.replace(/^['"“]|['"”.,]$/g, '');
    }
  }
  return null;
}

/** train_util.py, "Error loading file: …" and "illegal char in file: …" */
const PICTURE_BEFORE = [
  /failed to get image size: (\S.{0,400}?), error: /,
  /(?:Error loading file|[Ff]ailed to load image|Could not load image path|error reading image)[^:]{0,20}: ?(\S.*)$/,
];
const PICTURE_IN = /(?:^|\s|['"])(\/[^\s'"]{1,400}\.(?:png|jpe?g|webp|bmp|avif|jxl|gif|tiff?))\b/i;
const CAPTION_BEFORE = [
  /illegal char in file[^:]{0,40}: ?(\S.*)$/,
  /(?:reading|loading) captions? (?:from|file)[: ]{1,9}(\S.*)$/i,
];
const MODEL_BEFORE = [
  /(?:[Ll]oad(?:ing|ed)?|Building)\b.{0,80}?(?:from|checkpoint|model|file|VAE|weights|state(?: dict)?(?: from)?)[: ]+['"]?(\/[^'"\n]{1,400}?(?<!\.(?:toml|json|ya?ml|txt|npz)|\.))['"]?(?:\.{3})?$/,
  /^(?:checkpoint|model|weights?)[: ]+(\/\S.*)$/i,
];
const CACHE_BEFORE = [/(?<!\S)(\S{1,400}\.npz)\b/];

const isCache = ({ text, frames }: Clue) =>
  /\.npz|\.npy/.test(text) ||
  frames.some((frame) => /npyio|zipfile|numpy\/lib|is_disk_cached|load_latents_from_disk|load_outputs_npz/.test(frame));

const inState = ({ frames, text }: Clue) =>
  frames.some((frame) => /:load_state$|load_accelerator_state/.test(frame)) || /-state\//.test(text);

/** A LoRA that is resumed or continued, in contrast to the model that it is made for. */
const ofNetwork = (clue: Clue) => {
  const name = /loading state_dict for (\w+)/.exec(clue.text)?.[1];
  return name ? /Network|LoRA|Lora|LyCORIS|Lycoris|OFT|DyLoRA|Peft/.test(name) : inState(clue);
};

const CUT = (file: string | null, clue: Clue) =>
  inState(clue)
    ? `A file of the state folder is cut off or damaged${file ? `: ${file}` : ''}. Resume from an earlier state folder.`
    : `A file that the trainer loaded is cut off or damaged${file ? `: ${file}` : ''}. When resuming, pick an earlier state folder; otherwise download the model file again.`;

/** What the models, the pictures, the captions and the state folders have wrong. */
export const FILE_CAUSES: readonly KnownCause[] = [
  {
    id: 'wrong_file',
    pattern:
      /HeaderTooLarge|header too large|InvalidHeader(?!Length)|invalid (?:UTF-8|JSON) in header|invalid load key, '(?!\\x00)|not a safetensors file|Invalid magic number; corrupt file/i,
    words: (clue) => {
      const file = fileBefore(clue, MODEL_BEFORE);
      return `A model file is not what its name says${file ? `: ${file}` : ''}. It may be an error page or a Git LFS pointer saved in place of the file, or another format that was renamed. Download it again; then start again.`;
    },
    repeats: true,
  },
  {
    id: 'weights_only',
    pattern: /Weights only load failed/,
    words: (clue) =>
      inState(clue)
        ? 'A file of the state folder contains more than this torch loads by default (weights_only). Resume with the versions of torch, numpy and accelerate that it was saved with.'
        : 'A file contains more than weights, and this torch does not load such files (weights_only). Use the model as .safetensors; a state folder needs the versions of torch, numpy and accelerate that it was saved with.',
    repeats: true,
  },
  {
    id: 'broken_cache',
    pattern:
      /BadZipFile|Bad CRC-32|Bad magic number for|zlib\.error|is not a file in the archive|EOF: reading array header|Cannot load file containing pickled data|cannot reshape array of size|Failed to interpret file .{1,300} as a pickle|No data left in file/,
    needs: (clue) =>
      /BadZipFile|Bad CRC-32|Bad magic number for|zlib\.error|is not a file in the archive|reading array header/.test(
        clue.text,
      ) || isCache(clue),
    unless: inState,
    words: (clue) => {
      const file = fileBefore(clue, CACHE_BEFORE);
      return `A cache file beside the pictures is broken${file ? ` (${file})` : ''}, probably by an earlier interruption. Clear the caches (the .npz files beside the pictures), then start again: they are made anew.`;
    },
    repeats: true,
  },
  {
    id: 'cut_file',
    pattern:
      /MetadataIncompleteBuffer|incomplete metadata|HeaderTooSmall|header too small|InvalidHeaderLength|invalid header length|PytorchStreamReader failed|failed finding central directory|file not found: archive\/|Ran out of input|invalid load key, '\\x00'|unexpected EOF|file might be corrupted|Error while deserializing|unexpected end of (?:data|file)|storage has wrong byte size|pickle data was truncated|BadZipFile|Bad CRC-32/i,
    // Python says the same of a text that is cut in a letter, and of code.
    unless: /^(?:UnicodeDecodeError|SyntaxError)/,
    words: (clue) => CUT(fileBefore(clue, MODEL_BEFORE), clue),
    repeats: true,
  },
  {
    id: 'picture_broken',
    // A picture whose size could not be read is 0 high (train_util.py:287).
    pattern: /^ZeroDivisionError/,
    needs: ({ frames }) => frames.some((frame) => frame.endsWith(':select_bucket')),
    words: (clue) =>
      `${fileBefore(clue, PICTURE_BEFORE) ?? 'A picture of the dataset'} is not a picture that can be read. Replace it, or remove it from the dataset.`,
    repeats: true,
  },
  {
    id: 'picture_too_large',
    pattern: /DecompressionBombError: Image size \((\d+) pixels\)|MAX_TEXT_CHUNK/,
    words: (clue, found) => {
      const file = fileBefore(clue, PICTURE_BEFORE);
      const what = file ?? 'A picture of the dataset';
      return found[1]
        ? `${what} is too large (${Math.round(Number(found[1]) / 1e6)} million pixels). Scale it down, or remove it; then start again.`
        : `${what} contains more text than is allowed (a PNG with a whole workflow in it). Save it again without its metadata, then start again.`;
    },
    repeats: true,
  },
  {
    id: 'picture_broken',
    pattern:
      /cannot identify image file(?: (?:<_io\.\w+ name=)?(?:'([^'\n]{1,400})'|"([^"\n]{1,400})"))?|image file is truncated|broken data stream|broken PNG file|Truncated File Read|unrecognized data stream contents|decoder error -\d|PictureError: (.+)/,
    words: (clue, found) => {
      const file = found[1] ?? found[2] ?? PICTURE_IN.exec(clue.text)?.[1] ?? fileBefore(clue, PICTURE_BEFORE);
      if (found[3]) return `A picture cannot be read: ${found[3]}.`;
      return file
        ? `${file} is not a picture that can be read. Replace it, or remove it from the dataset.`
        : `A picture of the dataset cannot be read (${found[0]}). Look for a picture that does not open, and remove it.`;
    },
    repeats: true,
  },
  {
    id: 'caption_encoding',
    pattern: /UnicodeDecodeError/,
    unless: ({ frames }) =>
      frames.some((frame) =>
        /load_(?:target_)?model|load_user_config|read_config|json\/|toml\/|safetensors\/|torch\/serialization/.test(
          frame,
        ),
      ),
    words: (clue) => {
      const file = fileBefore(clue, CAPTION_BEFORE);
      return file
        ? `${file} is not in UTF-8. Save it as UTF-8, then start again.`
        : 'A text is not in UTF-8: most likely a caption, or the prompts. Save it as UTF-8, then start again.';
    },
    repeats: true,
  },
  {
    id: 'wrong_model',
    pattern: /^KeyError: '([^'\n]{1,200})'/,
    needs: ({ frames }) => frames.some((frame) => /:convert_ldm_(?:unet|vae|clip)_checkpoint/.test(frame)),
    words: ({ session }) =>
      `The base model (${flagIn(session.argv, 'pretrained_model_name_or_path') || 'its file'}) is no Stable Diffusion checkpoint of this kind: it may be a LoRA, or a model of another family. Choose another, then start again.`,
    repeats: true,
  },
  {
    id: 'wrong_model',
    pattern: /size mismatch for|Error\(s\) in loading state_dict|(?:Missing|Unexpected) key\(s\) in state_dict/,
    unless: ofNetwork,
    words:
      'A model file does not belong to this kind of training (its parts have other names or sizes). Check that base model, text encoders and VAE are of one family, the one that this script trains; then start again.',
    repeats: true,
  },
  {
    id: 'size_mismatch',
    pattern: /size mismatch for|Error\(s\) in loading state_dict|(?:Missing|Unexpected) key\(s\) in state_dict/,
    words: (clue) =>
      !inState(clue) && flagIn(clue.session.argv, 'network_weights') !== null
        ? `The LoRA to go on from (${flagIn(clue.session.argv, 'network_weights')}) is of another size or kind. Network dimension, alpha and module have to be those with which it was trained; --dim_from_weights reads them from it.`
        : 'The state folder has a network of another size. Network dimension, alpha and module must be those of the first start.',
    repeats: true,
  },
  {
    id: 'other_optimizer',
    pattern:
      /doesn't match the size of optimizer's group|parameter group that doesn't match|loaded state dict has a different number of parameter groups/,
    words: 'The state folder has another optimizer, or other trained parts. They must be those of the first start.',
    repeats: true,
  },
  {
    id: 'other_optimizer',
    // It loads, and lacks a setting of its own at the first step.
    pattern: /^KeyError: '\w+'/,
    needs: ({ frames, session }) =>
      flagIn(session.argv, 'resume') !== null && /\/optim\/\w+\.py:/.test(frames.at(-1) ?? ''),
    words: 'The state folder has another optimizer. It must be that of the first start.',
    repeats: true,
  },
  {
    id: 'state_missing',
    pattern: /Tried to find (.{1,400}?) but folder does not exist/,
    words: 'The state folder $1 no longer exists. Resume from another one.',
    repeats: true,
  },
  {
    id: 'cut_file',
    pattern: /JSONDecodeError: /,
    needs: inState,
    words: (clue) => CUT(null, clue),
    repeats: true,
  },
  {
    id: 'model_incomplete',
    pattern: /Error no file named (\S{1,200}) found in directory (\S{1,400}?)\.?(?:\s|$)/,
    words: 'The model folder $2 is incomplete: $1 is missing. Download the model again, then start again.',
    repeats: true,
  },
  {
    id: 'is_a_folder',
    pattern: /^IsADirectoryError: .{0,60}: '([^'\n]{1,400})'/,
    words: '$1 is a folder, where a file is expected. Correct the path, then start again.',
    repeats: true,
  },
  {
    id: 'file_missing',
    pattern:
      /^(?:FileNotFoundError|NotADirectoryError): .{0,60}: b?(?:'([^'\n]{1,400})'|"([^"\n]{1,400})")|No such file or directory: ['"]?([^'"\n]{1,400})/,
    words: (_, found) => `${found.slice(1).find(Boolean)} is missing.`,
    repeats: true,
  },
  {
    id: 'file_missing',
    pattern: /^FileNotFoundError: No such file or directory \(os error 2\)/,
    words: (clue) => `${fileBefore(clue, MODEL_BEFORE) ?? 'A model file'} is missing.`,
    repeats: true,
  },
  {
    id: 'not_allowed',
    pattern: /PermissionError: .{0,500}?: '([^']{1,400})'|Permission denied \(os error 13\)/,
    words: (_, found) =>
      `${found[1] ?? 'A file of this training'} may not be read or written by the user that Trackside runs as.`,
    repeats: true,
  },
];
