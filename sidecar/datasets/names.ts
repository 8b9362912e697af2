import { Problem } from '../problem.js';
import { slug } from '../slug.js';

/** Letters and digits of any script, as for sessions: what people copied here by hand is found too. */
const DATASET_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,63}$/u;
/** The endings that sd-scripts looks for (sd-scripts library/train_util.py IMAGE_EXTENSIONS): small or capital, not mixed. */
const PICTURE = /^(.+)\.(png|jpg|jpeg|webp|bmp|PNG|JPG|JPEG|WEBP|BMP)$/su;
const PICTURE_OF_ANY_CASE = /\.(png|jpe?g|webp|bmp)$/i;
const CAPTION = /^(.+)\.txt$/su;
/** Bytes. File systems allow 255; the rest is for the temporary name beside it. */
const LONGEST = 200;

/** Is this a dataset that Trackside would serve? Never a path, a hidden folder or `..`. */
export function isDatasetName(name: string): boolean {
  return DATASET_NAME.test(name) && !name.includes('..') && name.trim() === name && Buffer.byteLength(name) <= LONGEST;
}

/** The folder name for what a person typed. Throws a Problem for the field `name`. */
export function datasetNameFrom(typed: string): string {
  const name = isDatasetName(typed.trim()) ? typed.trim() : slug(typed);
  if (isDatasetName(name) && !/[/\\\0]/.test(typed)) return name;
  const message = !typed.trim()
    ? 'Give the dataset a name: it becomes the folder of its pictures. Nothing was saved.'
    : `“${printable(typed)}” can't be the name of a folder. Use letters and digits, no slashes. Nothing was saved.`;
  throw new Problem('bad_name', message, { field: 'name' });
}

/** The stem of a picture's file name, null where it is no picture that a trainer would find. */
export function pictureStem(file: string): string | null {
  return PICTURE.exec(file)?.[1] ?? null;
}

/** The stem of a caption's file name, else null. */
export function captionStem(file: string): string | null {
  return CAPTION.exec(file)?.[1] ?? null;
}

/** `Cat.Png`: people see a picture, trainers see nothing. */
export function hasMixedEnding(file: string): boolean {
  return PICTURE_OF_ANY_CASE.test(file) && pictureStem(file) === null;
}

/** Throws a Problem unless a picture may be kept under this name, byte for byte. */
export function requirePictureName(file: string): void {
  requireFileName(file);
  if (pictureStem(file) !== null) return;
  const endings = 'Pictures end in .png, .jpg, .jpeg or .webp';
  const message = hasMixedEnding(file)
    ? `${printable(file)} has an ending of mixed letters, which trainers pass over. ${endings}, in small or in capital letters. Rename it and upload it again.`
    : `${printable(file)} is not a kind of picture that trainers read. ${endings}, captions in .txt. It was not saved.`;
  throw new Problem('not_a_picture', message);
}

/** Throws a Problem unless the name is one plain, visible file name. */
export function requireFileName(file: string): void {
  const reason =
    file === ''
      ? 'it is empty'
      : /[/\\]/.test(file)
        ? 'it holds a slash'
        : file.startsWith('.')
          ? 'it begins with a dot'
          : /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(file)
            ? 'it holds a control character'
            : Buffer.byteLength(file) > LONGEST
              ? `it is longer than ${LONGEST} bytes`
              : null;
  if (reason)
    throw new Problem(
      'bad_file_name',
      `“${printable(file)}” can't be a file name here: ${reason}. It was not saved; rename it and upload it again.`,
    );
}

/** Names go into messages: nothing in them may end a line or fill a page. */
export function printable(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu, '�');
  return clean.length > 80 ? `${Array.from(clean).slice(0, 80).join('')}…` : clean;
}
