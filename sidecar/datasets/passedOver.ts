import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Problem } from '../problem.js';
import { inFolder } from '../security/paths.js';
import type { DatasetDetail, PassedOver } from './facts.js';
import type { DatasetFolder } from './folder.js';
import { captionStem, HEIC_REMEDY, hasMixedEnding, pictureStem, withoutEnding } from './names.js';

/** Folders searched at most: nobody waits for a whole disk. */
const MOST_FOLDERS = 100;
const DEEPEST = 6;
const CAPTION_ENDING = /\.(txt|caption|cap|captions|text|tags?|prompt|wd14)$/i;
/** Pictures of other kinds: a folder of them is named, too. */
const OTHER_PICTURE = /\.(avif|hei[cf]|jxl|gif|tiff?|jfif|jp2|dng|cr2|nef|arw)$/i;
const ARCHIVE = /\.(zip|7z|rar|tar|tgz|gz|xz|zst)$/i;
/** Folders of operating systems, network disks and packers: nobody's pictures. */
const RUBBISH_FOLDER = /^(\..*|@eaDir|__MACOSX|#recycle|\$RECYCLE\.BIN|System Volume Information|lost\+found)$/i;
/** Notes, settings and caches, which nobody takes for pictures. */
const NO_PICTURE =
  /^(Thumbs\.db|[^.]+|.*\.(md|json|jsonl|toml|ya?ml|csv|npz|safetensors|log|db|ini|html?|py|sh|pdf))$/i;

/**
 * Finds the visible files of a dataset's folder that are not trained: `names` are files, `folders` may be links. Searches
 * folders six levels down.
 */
export async function findPassedOver(folder: DatasetFolder, names: string[], folders: string[]): Promise<PassedOver> {
  const captioned = new Set(names.map(captionStem));
  const pictures = names.filter(isPicture);
  const bare = new Set(pictures.flatMap((file) => (captioned.has(pictureStem(file)) ? [] : [pictureStem(file), file])));
  const isCaption = (file: string) =>
    !file.endsWith('.npz') && (CAPTION_ENDING.test(file) || bare.has(withoutEnding(file)));
  const rest = names.filter((file) => !isPicture(file));
  const other_captions = rest.filter((file) => isCaption(file) && isMisnamed(file, pictures));
  const other_kinds = rest.filter((file) => !isCaption(file) && !NO_PICTURE.test(file));
  return { other_kinds, other_captions, folders: await foldersOfPictures(folder, folders) };
}

/** Says in sentences which files are not trained, and what to do. */
export function passedOverWords({ name, path, passed_over }: DatasetDetail): string[] {
  const { other_captions: captions, folders } = passed_over;
  const words = folders.map(
    ({ folder, pictures }) =>
      `${pictures === 1 ? '1 picture' : `${pictures} pictures`} in the folder ${folder} inside ${name} ${pictures === 1 ? 'is' : 'are'} not used: trainers read only the dataset's own folder. Move ${pictures === 1 ? 'it' : 'them'} up into ${name}, or move the folder to ${dirname(path)} to make it a dataset.`,
  );
  const archives = passed_over.other_kinds.filter((file) => ARCHIVE.test(file));
  const kinds = passed_over.other_kinds.filter((file) => !ARCHIVE.test(file));
  if (archives.length > 0)
    words.push(
      `${named(archives)} ${archives.length === 1 ? 'is an archive' : 'are archives'}, which trainers don't open. Unpack ${archives.length === 1 ? 'it' : 'them'} here, or upload ${archives.length === 1 ? 'it as a zip' : 'them as zips'}.`,
    );
  if (kinds.length > 0)
    words.push(
      `${kinds.length === 1 ? '1 file' : `${kinds.length} files`} can't be trained on: ${named(kinds)}. Convert pictures to PNG or JPEG.${kinds.some((file) => /\.(avif|jxl)$/i.test(file)) ? ' sd-scripts reads .avif and .jxl only with an extra Python package, and Trackside neither checks nor counts them.' : ''}${kinds.some((file) => /\.hei[cf]$/i.test(file)) ? ` ${HEIC_REMEDY}` : ''}`,
    );
  if (captions.length > 0)
    words.push(
      `${captions.length === 1 ? '1 caption is' : `${captions.length} captions are`} not used: ${named(captions)}. A caption has its picture's name and ends in .txt, in lower case. Rename ${captions.length === 1 ? 'it' : 'them'}.`,
    );
  return words;
}

/** `a.png, b.png, c.png and 9 more` */
export function named(files: readonly string[]): string {
  const shown = files.slice(0, 3).join(', ');
  return files.length > 3 ? `${shown} and ${files.length - 3} more` : shown;
}

function isPicture(file: string): boolean {
  return pictureStem(file) !== null || hasMixedEnding(file);
}

/** Is it `a.caption`, or `a.png.txt`? A .txt without any picture has its own warning. */
function isMisnamed(file: string, pictures: string[]): boolean {
  return captionStem(file) === null || pictures.includes(captionStem(file) ?? '');
}

async function foldersOfPictures({ root, at }: DatasetFolder, folders: string[]): Promise<PassedOver['folders']> {
  const found: PassedOver['folders'] = [];
  const queue = folders.filter((folder) => !RUBBISH_FOLDER.test(folder));
  for (let looked = 0; looked < MOST_FOLDERS; looked++) {
    const folder = queue.shift();
    if (folder === undefined) break;
    const entries = await inFolder(root, join(at, folder), ({ at: inside }) =>
      readdir(inside, { withFileTypes: true }),
    ).catch(ifClosed);
    const visible = (entries ?? []).filter((entry) => !RUBBISH_FOLDER.test(entry.name));
    const isOne = (name: string) => isPicture(name) || OTHER_PICTURE.test(name);
    const pictures = visible.filter((entry) => !entry.isDirectory() && isOne(entry.name)).length;
    if (pictures > 0) found.push({ folder, pictures });
    if (folder.split('/').length < DEEPEST)
      queue.push(...visible.filter((entry) => entry.isDirectory()).map((entry) => `${folder}/${entry.name}`));
  }
  return found;
}

/** For a `.catch`: null for plain files, links that lead out, folders that have just gone, and those that we may not read. */
export function ifClosed(error: unknown): null {
  if (error instanceof Problem || ['EACCES', 'ENOENT'].includes(`${(error as NodeJS.ErrnoException).code}`))
    return null;
  throw error;
}
