import type { DatasetDetail, DatasetImage } from './facts.js';
import { hasMixedEnding } from './names.js';
import { named, passedOverWords } from './passedOver.js';

/**
 * Says what a person should know before training on this dataset. An error keeps a training from running; with a warning it
 * runs, perhaps not as intended. Each is a sentence or two that ends with what to do.
 *
 * @param turns the trainer gets pictures the right way up
 */
export function checkDataset(detail: DatasetDetail, { turns = false } = {}): { errors: string[]; warnings: string[] } {
  const { files } = detail;
  const errors = files
    .filter(({ problem }) => problem !== null)
    .map(({ file, problem }) => {
      const remedy = file.includes('\ufffd')
        ? ''
        : hasMixedEnding(file)
          ? ' Rename it, so that the ending is in lower case.'
          : ' Upload it again as PNG or JPEG, or delete it.';
      return `${file} can't be used: ${problem}${remedy}`;
    });
  const captions = new Map(files.map((picture) => [picture.caption_file ?? `${picture.stem}.txt`, picture]));
  for (const [file, { caption, caption_problem: problem }] of captions) {
    const unread = `${file} can't be used as a caption: ${problem} Write the caption again on the dataset's page.`;
    const empty = `${file} is empty, and trainers stop on an empty caption. Write a caption, or delete the file to use the trigger word.`;
    if (problem) errors.push(unread);
    else if (caption !== null && caption.trim() === '') errors.push(empty);
  }
  const passedOver = passedOverWords(detail);
  if (files.length === 0)
    errors.push(
      passedOver.length > 0
        ? `${detail.name} has no pictures to train on. ${passedOver.join(' ')}`
        : `${detail.name} has no pictures. Upload some (.png, .jpg, .jpeg or .webp), or copy them to ${detail.path}.`,
    );

  const warnings = [...(files.length > 0 ? passedOver : []), ...sharedStems(files), ...untrainedLines(captions)];
  const bare = files
    .filter(({ caption, caption_problem }) => caption === null && !caption_problem)
    .map(({ file }) => file);
  if (bare.length > 0)
    warnings.push(`${named(bare)} ${bare.length === 1 ? 'has' : 'have'} no caption: the trigger word is used instead.`);
  const { not_decoded } = detail;
  if (not_decoded > 0)
    warnings.push(
      `${not_decoded} ${not_decoded === 1 ? 'picture is' : 'pictures are'} still being checked for damage. Look again in a minute.`,
    );
  const turned = files.filter((picture) => picture.turned && !turns).map(({ file }) => file);
  if (turned.length > 0)
    warnings.push(
      `${named(turned)} ${turned.length === 1 ? 'is' : 'are'} rotated or mirrored only in the metadata, which sd-scripts ignores. To be trained the right way up, press “Turn upright” on the dataset’s page.`,
    );
  const bmps = files.filter((picture) => picture.unchecked).map(({ file }) => file);
  if (bmps.length > 0)
    warnings.push(
      `${named(bmps)} ${bmps.length === 1 ? 'is a BMP' : 'are BMPs'}, which Trackside can't check. The trainer may be able to read ${bmps.length === 1 ? 'it' : 'them'}; to be sure, save ${bmps.length === 1 ? 'it' : 'them'} as PNG or JPEG.`,
    );
  const orphans = detail.orphan_captions;
  if (orphans.length > 0)
    warnings.push(
      `${named(orphans)} ${orphans.length === 1 ? 'has no picture' : 'have no pictures'} of the same name, so ${orphans.length === 1 ? 'this caption is' : 'these captions are'} not used. Upload the picture, or rename the caption.`,
    );
  if (files.length === 1) warnings.push('There is only one picture. A LoRA learns more from several.');
  return { errors, warnings };
}

/** Captions of several lines (sd-scripts library/train_util.py read_caption: `lines[0].strip()`). */
function untrainedLines(captions: ReadonlyMap<string, DatasetImage>): string[] {
  const several = [...captions].flatMap(([file, { caption }]) => {
    const [first = '', ...rest] = (caption ?? '').split(/\r\n|\r|\n/);
    return rest.some((line) => line.trim()) ? { file, blank: !first.trim() } : [];
  });
  const filesOf = (blank: boolean) => several.filter((each) => each.blank === blank).map(({ file }) => file);
  const [cut, blank] = [filesOf(false), filesOf(true)];
  const words: string[] = [];
  if (cut.length > 0)
    words.push(
      `Only the first line of ${named(cut)} is trained (with enable_wildcard, one line at random). Write the whole caption in one line.`,
    );
  if (blank.length > 0)
    words.push(
      `${named(blank)} ${blank.length === 1 ? 'begins' : 'begin'} with a blank line, and only the first line is trained: as an empty caption. Remove the blank line.`,
    );
  return words;
}

/** Warns of pictures that differ only in their ending (sd-scripts library/strategy_*.py names caches by stem and size). */
function sharedStems(files: readonly DatasetImage[]): string[] {
  const byStem = new Map<string, DatasetImage[]>();
  for (const file of files) byStem.set(file.stem, [...(byStem.get(file.stem) ?? []), file]);
  return [...byStem.values()].flatMap((same) => {
    if (same.length < 2) return [];
    const sameSize = new Set(same.map(({ width, height }) => `${width} ${height}`)).size < same.length;
    const cache = sameSize
      ? ' and, having the same size, one cache on the disk, so one of them may be trained twice and another not at all'
      : '';
    return `${same.map(({ file }) => file).join(' and ')} share the caption ${same[0]?.stem}.txt${cache}. Delete or rename one of them.`;
  });
}
