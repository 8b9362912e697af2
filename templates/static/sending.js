/* Sends files over lines that drop, through proxies that take 100 MB and 100 s at most, to a sidecar that may restart. */
import { runningSum } from './fileSum.js';

const MB = 1024 * 1024;
const LARGEST_PART = 32 * MB;
const SMALLEST_PART = MB / 4;
/** Up to this size a file goes as one body: sending it again costs no more than asking what arrived. */
const SMALL_FILE = 4 * MB;
/** A part that takes longer is lost: no proxy waits so long. */
const PATIENCE_MS = 90_000;

/** Grows and shrinks with the line, so that a part takes a few seconds. */
let partBytes = 4 * MB;

/**
 * Sends a picture, a caption or a zip into a dataset, however often the line drops. Resolves to what was accepted and
 * refused, as the server tells it; `told` hears how it is getting on. Rejects only when `signal` is aborted.
 *
 * @type {SendFile}
 */
async function sendFile({ folder, file, told, signal }) {
  // A browser does not tell a file that is gone from a line that is.
  const readable = () => file.slice(0, 1).arrayBuffer().catch(unreadable);
  const { ask, persist, pause, pauseBefore } = openLine({ told, signal, readable });
  try {
    if (/\.txt$/i.test(file.name)) return await sendSmall(`${folder}/captions/${encodeURIComponent(stemOf(file))}`);
    if (file.size <= SMALL_FILE && !/\.zip$/i.test(file.name))
      return await sendSmall(`${folder}/images/${encodeURIComponent(file.name)}`).catch((error) =>
        error instanceof TooMuch ? sendParts() : Promise.reject(error),
      );
    return await sendParts();
  } catch (error) {
    if (signal.aborted || !(error instanceof Refused)) throw error;
    return {
      accepted: [],
      converted: [],
      notes: [],
      refused: [{ file: file.name, reason: error.message, after_name: error.afterName }],
    };
  }

  /** @param {string} address @returns {Promise<Outcome>} */
  async function sendSmall(address) {
    const headers = {
      'Content-Type': file.name.endsWith('.txt') ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    };
    const saved = await persist(() => ask(address, { method: 'PUT', headers, body: file }));
    told({ arrived: file.size });
    const converted = saved.converted ? [file.name] : [];
    // Of a caption only the one that it replaced is worth a word.
    return { accepted: [file.name], converted, notes: saved.notes ?? (saved.kept ? [saved.message] : []), refused: [] };
  }

  /** @returns {Promise<Outcome>} */
  async function sendParts() {
    /** @returns {Promise<Upload>} */
    const begin = () =>
      ask(`${folder}/uploads`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ file: file.name, bytes: file.size, modified: file.lastModified }),
      });
    let upload = await persist(begin);
    const sum = runningSum(file, unreadable);
    for (let failed = 0; ; ) {
      if (upload.state === 'refused') throw new Refused(upload.problem?.message ?? '', upload.problem ?? {});
      if (upload.taken) {
        told({ arrived: file.size });
        return upload.taken;
      }
      const at = `${folder}/uploads/${upload.id}`;
      /** @returns {Promise<Upload>} */
      const look = () => ask(at).catch((error) => (error.code === 'no_upload' ? begin() : Promise.reject(error)));
      if (upload.state === 'taking') {
        told({ arrived: file.size, unpacked: upload.unpacked });
        await pause(1000);
        upload = await persist(look);
        continue;
      }
      // The same bytes as here? If not, it is another file of this name and size, and begins anew.
      const from = (await sum.upTo(upload.arrived)) === upload.crc32 ? upload.arrived : 0;
      told({ arrived: from });
      try {
        upload = await sendPart(at, from, sum);
        failed = 0;
      } catch (error) {
        if (signal.aborted || (error instanceof Refused && !AGAIN.has(error.code))) throw error;
        partBytes = Math.max(SMALLEST_PART, partBytes / 2);
        await pauseBefore(error, failed++);
        upload = await persist(look);
      }
    }
  }

  /**
   * @param {string} at
   * @param {number} from
   * @param {ReturnType<typeof runningSum>} sum
   * @returns {Promise<Upload>}
   */
  async function sendPart(at, from, sum) {
    const to = Math.min(file.size, from + partBytes);
    const crc = await sum.upTo(to);
    const began = performance.now();
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Range': `bytes ${from}-${to - 1}/${file.size}`,
      'Upload-CRC32': crc,
    };
    const upload = await ask(at, { method: 'PUT', headers, body: file.slice(from, to) });
    const seconds = (performance.now() - began) / 1000;
    if (seconds < 2) partBytes = Math.min(LARGEST_PART, partBytes * 2);
    if (seconds > 8) partBytes = Math.max(SMALLEST_PART, partBytes / 2);
    return upload;
  }
}

/** Makes a dataset, however often the line drops; one that exists takes the files, too. @type {MakeDataset} */
async function makeDataset({ root, name, told, signal }) {
  const { ask, persist } = openLine({ told, signal });
  const headers = { 'Content-Type': 'application/json' };
  try {
    const made = await persist(() =>
      ask(`${root}datasets`, { method: 'POST', headers, body: JSON.stringify({ name }) }),
    );
    return { name: made.name, made: true };
  } catch (error) {
    if (error instanceof Refused && error.code === 'name_taken')
      return { name: decodeURIComponent(error.link.replace('datasets/', '')), made: false };
    throw error;
  }
}

/**
 * Requests that outlast a line: `told` hears what is waited for. `readable` rejects where it is not the line that failed.
 *
 * @param {{ told: (news: News) => void, signal: AbortSignal, readable?: () => Promise<unknown> }} line
 */
function openLine({ told, signal, readable = async () => {} }) {
  return { ask, persist, pause, pauseBefore };

  /**
   * Tries until there is an answer that is the sidecar's own.
   *
   * @template T
   * @param {() => Promise<T>} attempt
   * @returns {Promise<T>}
   */
  async function persist(attempt) {
    for (let failed = 0; ; failed++) {
      try {
        const answer = await attempt();
        told({ waiting: null });
        return answer;
      } catch (error) {
        if (signal.aborted || error instanceof Refused || error instanceof TooMuch) throw error;
        await pauseBefore(error, failed);
      }
    }
  }

  /** @param {unknown} error @param {number} failed */
  async function pauseBefore(error, failed) {
    const seconds = Math.min(30, 2 ** failed);
    told({ waiting: { seconds, why: messageOf(error) } });
    await pause(seconds * 1000);
  }

  /** @param {number} milliseconds @returns {Promise<unknown>} */
  function pause(milliseconds) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds);
      window.addEventListener('online', resolve, { once: true });
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
  }

  /** @param {string} address @param {RequestInit} [request] */
  async function ask(address, request = {}) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    let response;
    try {
      response = await fetch(address, {
        ...request,
        signal: limit,
        headers: { Accept: 'application/json', ...request.headers },
      });
    } catch (error) {
      await readable();
      throw signal.aborted ? error : new Error('No connection');
    }
    const answer = await response.json().catch(() => null);
    if (response.ok && answer) return answer;
    if (response.status === 401) throw new Error('Logged out: log in again in another tab');
    if (answer?.state === 'refused') return answer;
    if (response.status === 413 && !answer?.error) {
      partBytes = Math.max(SMALLEST_PART, partBytes / 2);
      throw new TooMuch('A proxy limits the size of uploads');
    }
    // What has no words of ours comes from a proxy in between; a full disk may be emptied.
    if (!answer?.error || response.status >= 500)
      throw new Error(answer?.error?.message ?? `No connection (${response.status})`);
    throw new Refused(answer.error.message, answer.error);
  }
}

/** What the sidecar says of a part that has to be sent again, from where it stands. */
const AGAIN = new Set([
  'part_too_early',
  'part_damaged',
  'upload_cut_off',
  'part_overtaken',
  'other_size',
  'no_upload',
]);

/** The sidecar's own no: trying again would not help. */
class Refused extends Error {
  /** @param {string} message @param {{ code?: string, link?: string, after_name?: string }} [error] */
  constructor(message, { code = '', link = '', after_name: afterName } = {}) {
    super(message);
    this.afterName = afterName;
    this.code = code;
    this.link = link;
  }
}

/** No to a body of this size, by a proxy in between. */
class TooMuch extends Error {}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @returns {never} */
function unreadable() {
  throw new Refused('it can no longer be read on this device: it was moved, changed or deleted. Choose it again.');
}

/** @param {File} file */
function stemOf(file) {
  return file.name.replace(/\.txt$/i, '');
}

globalThis.sending = { sendFile, makeDataset };
