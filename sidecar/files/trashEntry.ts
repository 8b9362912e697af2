import { randomBytes } from 'node:crypto';

const ENTRY = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{6}$/;

/** A name for a new folder of a trash: "20261123T030000Z-1a2b3c". */
export function newTrashEntry(now = new Date()): string {
  return `${now.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`;
}

/** When an entry of a trash was made, ISO 8601; null for any other name. */
export function trashEntryTime(entry: string): string | null {
  return ENTRY.test(entry) ? entry.replace(ENTRY, '$1-$2-$3T$4:$5:$6.000Z') : null;
}
