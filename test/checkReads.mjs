// Files that others may write are read through one door, sidecar/files/regularFile.ts: behind a name may be a pipe, a device
// or gigabytes. Prints every other way to open or read a file, and ends with 1 then. What may read by itself is listed here
// with its reason.
import { readdirSync, readFileSync } from 'node:fs';

/** @type {Record<string, string>} */
const ALLOWED = {
  'bridge.ts': 'its own installation',
  'load.ts': 'its own installation',
  'settings.ts': 'its own installation',
  'views/assets.ts': 'its own installation',
  'dev.mjs': 'its own installation',
  'hub/sources.ts': 'its own installation: the sources that come with Trackside',
  'datasets/seed.ts': 'its own installation: copies the example pictures',
  'files/regularFile.ts': 'the door itself',
  'files/wholeFile.ts': 'makes its files, and syncs folders',
  'hub/download.ts': 'makes its file, in a folder that it locked',
  'models/tokenizers.ts': 'copies the files that it downloaded just now',
  'datasets/receive.ts': 'makes its file',
  'datasets/heic/decodeHeic.ts': 'the file that its parent opened, on its standard input',
  'datasets/uploads/addPart.ts': 'makes its file, in a folder of a random name',
  'telemetry/diskTrouble.ts': 'makes its file',
  'telemetry/log/arrivals.ts': 'appends to its file, through no link',
  'sessions/retention/record.ts': 'appends to its file, through no link',
  'security/privateFolder.ts': 'the private folder, which nobody else may enter',
  'security/paths.ts': 'opens below a root without waiting, and asks the kernel what it opened',
  'launchers/byHand/commandLines.ts': '/proc',
  'launchers/byHand/startedAt.ts': '/proc',
  'launchers/podEnd.ts': '/proc/uptime',
  'launchers/marked.ts': '/proc',
  'launchers/sweep.ts': '/proc',
  'telemetry/machine/hostMeter.ts': '/proc, and the limits in /sys/fs/cgroup',
  'processes/identity.ts': '/proc',
  'files/kernelText.ts': '/proc, and the limits in /sys/fs/cgroup',
  'pods/loggedIn.ts': '/proc',
  'pods/podEnvironment.ts': '/proc/1/environ',
  'pods/podUptime.ts': '/proc/uptime',
  'launchers/launch.ts': 'makes its file, without a name',
  'launchers/heartbeat.ts': 'opens without waiting, and reads nothing but the time',
  'sessions/outputs/summary.ts':
    'opens without waiting, and reads 64 kB of whatever it is: a question less for ten thousand sessions',
  'files/linkOrCopy.ts': 'copies a file that its caller wrote or read just now',
  'sessions/attempt/launch.ts': 'copies what it has asked to be a file',
};

const READS = ['open', 'openSync', 'openAsBlob', 'readFile', 'readFileSync', 'readSync', 'createReadStream'];
const COPIES = ['copyFile', 'copyFileSync', 'cp', 'cpSync'];
const IMPORT = /import (?:type )?(\{[^}]*\}|\* as \w+|\w+) from '(?:node:)?fs(?:\/promises)?'/g;

const used = new Set();
const wrong = [];
const files = readdirSync('sidecar', { recursive: true }).filter((name) => /\.(?:ts|mjs)$/.test(name));
for (const file of files.sort()) {
  const text = readFileSync(`sidecar/${file}`, 'utf8');
  const imported = [...text.matchAll(IMPORT)].flatMap(([, names]) =>
    names.startsWith('{')
      ? names
          .slice(1, -1)
          .split(',')
          .map((name) => name.trim().split(' as ')[0])
      : ['everything'],
  );
  const found = imported.filter((name) => [...READS, ...COPIES, 'everything'].includes(name));
  // An open file has a method that reads all of it, however large it is.
  if (/\.readFile\(/.test(text)) found.push('readFile of an open file');
  if (found.length === 0) continue;
  if (ALLOWED[file]) used.add(file);
  else wrong.push(`sidecar/${file}: ${found.join(', ')}`);
}
for (const file of Object.keys(ALLOWED))
  if (!used.has(file)) wrong.push(`test/checkReads.mjs: ${file} no longer needs its line`);
for (const line of wrong) console.error(line);
if (wrong.length > 0) {
  console.error(
    'Read through sidecar/files/regularFile.ts, which refuses pipes, devices and gigabytes; or say here why not.',
  );
  process.exit(1);
}
