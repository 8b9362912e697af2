import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** One process goes from file to file of a project: so project by project, and the short files at the end. */
const PROJECTS = ['waiting', 'clocks', 'attacks', 'alone', 'product', 'fast'];

/** Files of more than ten seconds, the longest first: vitest knows it from the last run, which a new machine lacks. */
const LONGEST = [
  ...[
    'cluster/faults',
    'browser/mainJob',
    'mainJob/autoResume',
    'browser/accessible',
    'mainJob/survive',
    'sd-scripts/standIn',
  ],
  ...['faults/soak', 'trainer-bridge/runner', 'security/proxies', 'browser/log', 'mainJob/lastSave', 'tracked/tracked'],
  ...['browser/uploads', 'browser/live', 'pause/pause', 'security/routes', 'browser/drafts', 'mainJob/moved'],
  ...['sessions/record/putBack', 'faults/queueRounds', 'commands/client', 'mainJob/refuse', 'browser/telling'],
  ...[
    'models/page',
    'sessions/retention/purge',
    'pods/pod',
    'mainJob/earlier',
    'browser/newTraining',
    'browser/samples',
  ],
  ...['trainer-bridge/practice', 'security/arguments', 'browser/captions', 'security/secrets', 'mainJob/folders'],
  ...[
    'mainJob/podEnd',
    'trainers/sdScripts/everyFlag',
    'browser/charts',
    'sessions/outputs/summary',
    'notices/notices',
  ],
  ...['pause/chains', 'trainers/script/sessions', 'browser/tabs', 'mainJob/queue', 'sessions/outputs/knownFacts'],
].map((name) => `/test/${name}.test.ts`);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return found === -1 ? LONGEST.length : found;
    };
    const project = (file: TestSpecification) => PROJECTS.indexOf(file.project.name);
    return [...files].sort((one, other) => project(one) - project(other) || place(one) - place(other));
  }
}
