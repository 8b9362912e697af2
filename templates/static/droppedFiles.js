/* The files that were dropped on a page, and those in dropped folders. */

/** What was dropped; of a folder the files directly in it. @param {DataTransfer} dropped */
export async function filesIn(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.());
  const plain = [...dropped.files].filter((_, index) => !entries[index]?.isDirectory);
  const folders = await Promise.all(entries.filter(isFolder).map(filesOf));
  return [...plain, ...folders.flat()];
}

/** @param {FileSystemEntry | null | undefined} entry @returns {entry is FileSystemDirectoryEntry} */
function isFolder(entry) {
  return entry?.isDirectory ?? false;
}

/** @param {FileSystemEntry} entry @returns {entry is FileSystemFileEntry} */
function isVisibleFile(entry) {
  return entry.isFile && !entry.name.startsWith('.');
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<File[]>} */
async function filesOf(folder) {
  const reader = folder.createReader();
  /** @type {File[]} */
  const files = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return files;
    files.push(...(await Promise.all(some.filter(isVisibleFile).map(fileOf))));
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
