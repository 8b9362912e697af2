import { Problem } from '../problem.js';
import { slug } from '../slug.js';

/** Letters and digits of any script. Folders that are copied here by hand may be called otherwise (`isFolderName`). */
const DATASET_NAME = /^[\p{L}\p{N}][\p{L}\p{N}._ -]{0,63}$/u;
/** The endings that sd-scripts looks for (library/train_util.py IMAGE_EXTENSIONS): lower or upper case, never mixed. */
const PICTURE = /^(.+)\.(png|jpg|jpeg|webp|bmp|PNG|JPG|JPEG|WEBP|BMP)$/su;
/** Photos of phones, which no trainer reads: a dataset keeps them as JPEG. */
const HEIC = /\.(heic|heif)$/i;
const PICTURE_OF_ANY_CASE = /\.(png|jpe?g|webp|bmp)$/i;
const CAPTION = /^(.+)\.txt$/su;
/** Bytes. File systems allow 255; a temporary name needs the rest. */
const LONGEST = 200;

/** May a new dataset be called so? Never a path, a hidden folder or `..`. */
export function isDatasetName(name: string): boolean {
  return DATASET_NAME.test(name) && !name.includes('..') && name.trim() === name && Buffer.byteLength(name) <= LONGEST;
}

/** Makes a folder name of what a person typed. Throws a Problem for the field `name`. */
export function datasetNameFrom(typed: string): string {
  const name = isDatasetName(typed.trim()) ? typed.trim() : slug(typed);
  if (isDatasetName(name) && !/[/\\\0]/.test(typed)) return name;
  const message = !typed.trim()
    ? 'Give the dataset a name.'
    : `“${printable(typed)}” can't be a folder name. Use letters and digits, no slashes.`;
  throw new Problem('bad_name', message, { field: 'name' });
}

/** The stem of a picture's file name; null if no trainer would find it. */
export function pictureStem(file: string): string | null {
  return PICTURE.exec(file)?.[1] ?? null;
}

/**
 * The stems of the captions that sd-scripts looks for, one after the other: `cat_40_40_20_1.png`, a crop of a face, takes
 * cat.txt where it has none of its own (library/train_util.py read_caption).
 */
export function captionStemsOf(stem: string): string[] {
  const whole = stem.split('_').slice(0, -4).join('_');
  return whole ? [stem, whole] : [stem];
}

/** The stem of a caption's file name; else null. */
export function captionStem(file: string): string | null {
  return CAPTION.exec(file)?.[1] ?? null;
}

/** `Cat.Png`: people see a picture, trainers see nothing. */
export function hasMixedEnding(file: string): boolean {
  return PICTURE_OF_ANY_CASE.test(file) && pictureStem(file) === null;
}

/** `IMG_1.HEIC`: becomes `IMG_1.jpg` when it is uploaded. */
export function hasHeicEnding(file: string): boolean {
  return HEIC.test(file);
}

/** Throws a Problem unless a picture may be uploaded under this name. */
export function requireUploadName(file: string): void {
  if (hasHeicEnding(file)) requireFileName(file);
  else requirePictureName(file);
}

/** Throws a Problem unless a picture may be kept under this name. */
export function requirePictureName(file: string): void {
  requireFileName(file);
  if (pictureStem(file) !== null) return;
  const endings = 'Pictures end in .png, .jpg, .jpeg, .webp, .heic or .heif';
  const message = hasMixedEnding(file)
    ? 'has an ending in mixed case, which trainers skip. Rename it to lower case and upload it again.'
    : `is not a picture or caption that trainers read. ${endings}, captions in .txt. It was not saved.`;
  throw new Problem('not_a_picture', message, { file: printable(file) });
}

/** What to do with a HEIC photo that was put into a dataset's folder by hand. */
export const HEIC_REMEDY = 'Upload HEIC photos on the page of a dataset instead: they are converted to JPEG.';

/** Throws a Problem unless the name is one plain, visible file name. */
export function requireFileName(file: string): void {
  const reason =
    file === ''
      ? 'it is empty'
      : /[/\\]/.test(file)
        ? 'it contains a slash'
        : file.startsWith('.')
          ? 'it starts with a dot'
          : /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(file)
            ? 'it contains a control character'
            : Buffer.byteLength(file) > LONGEST
              ? `it is longer than ${LONGEST} bytes`
              : null;
  if (reason)
    throw new Problem(
      'bad_file_name',
      `“${printable(file)}” can't be used as a file name: ${reason}. Rename the file and upload it again.`,
    );
}

export function withoutEnding(file: string): string {
  return file.replace(/\.[^.]*$/, '');
}

/** A name as it may stand in a message: on one line, and short. */
export function printable(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu, '�');
  return clean.length > 80 ? `${Array.from(clean).slice(0, 80).join('')}…` : clean;
}
