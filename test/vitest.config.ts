import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './longestFirst.js';
import { SaysWhyRetried } from './saysWhyRetried.js';

/** What must never succeed, not even once. */
const attacks = ['routes', 'paths', 'arguments', 'secrets', 'redact'].map((name) => `test/security/${name}*.test.ts`);

/** Promises that hold a clock, each with the clock: a machine that is busy with something else gets another chance. */
const clocks = Object.keys({
  'test/browser/mainJob.test.ts': 'a page hears of a step and of an end within seconds',
  'test/browser/tabs.test.ts': 'ten tabs are right again within seconds',
  'test/commands/limitIdle.test.ts': 'a line is cut after a second of silence, and only then',
  'test/crash.test.ts': 'Trackside is back within 5 s',
  'test/datasets/check.test.ts': 'a second check of a large dataset takes less than a second',
  'test/datasets/damaged.test.ts': 'a page waits no longer than some seconds',
  'test/faults/soak.test.ts': 'seconds of everything at once, each truth told within seconds',
  'test/files/lock.test.ts': 'a lock is renewed every few seconds',
  'test/files/regularFile.test.ts': 'what is no file is refused within half a second',
  'test/launchers/liveness.test.ts': 'heartbeats are too old after so many seconds',
  'test/main.test.ts': 'the command line answers within 2 s',
  'test/mainJob/autoResume.test.ts': 'a training is resumed after so many seconds, and no sooner',
  'test/mainJob/byHand.test.ts': 'a training by hand is found within 5 s',
  'test/mainJob/clicks.test.ts': 'a hundred clicks are answered within 2 s',
  'test/mainJob/stopAndEdit.test.ts': 'an edit is written within the moment of a stop',
  'test/mainJob/survive.test.ts': 'a start is answered within 2 s',
  'test/models/findModels.test.ts': 'many model files are found within 2 s',
  'test/security/proxies.test.ts': 'an answer passes a proxy within seconds',
  'test/sessions/record/lock.test.ts': 'a lock that nobody holds is taken after seconds',
  'test/tracked/tracked.test.ts': 'a stop reaches a loop within seconds, and its grace is kept',
  'test/browser/{accessible,captions,charts,drafts,live,log,newTraining,night,samples,scripts,telling,trainers,uploads}.test.ts':
    'a page shows within 20 s what is waited for',
  'test/mainJob/{earlier,folders,lastSave,moved,queue,refuse}.test.ts':
    'a training does within 20 s what is waited for',
  'test/{commands/client,datasets/remove,hub/downloads,log,models/page,notices/notices,pause/pause,pod,pods/pod,publish/publish}.test.ts':
    'what is waited for comes within 20 s',
  'test/{launchers/{launch,local,stop},processes/run,routes/{machine,sessions},sd-scripts/{retrySmaller,standIn},trainers/{script/sessions,sdScripts/facts}}.test.ts':
    'a process answers within 20 s',
  'test/sessions/{brokenStates,otherTools,outputs/summary,versions/{laboratory,monthsLater}}.test.ts':
    'what is waited for comes within 20 s',
});

/** Clocks too, of which most is waiting: `npm test` runs them after the tests in Python, beside the three processes of the others. */
const waiting = Object.keys({
  'test/cluster/*.test.ts': 'a job ends, and its cluster tells, within the seconds that are waited for',
  'test/mainJob/{podEnd,pods}.test.ts': 'a pod leaves its trainings a few seconds to end',
  'test/sessions/record/putBack.test.ts': 'an edit is put back within a second',
  'test/trainer-bridge/runner.test.ts': 'a folder is taken over after so many seconds, and no sooner',
});

/** Tables of values, and the app without a port: `npm run test:fast`. No process is started, no second is waited for. */
const fast = [
  'test/datasets/{archives,captionRules,changeCaption,form,passedOver,pictures}.test.ts',
  'test/{files,live,views}/**/*.test.ts',
  'test/hub/hubSources.test.ts',
  'test/launchers/contract.test.ts',
  'test/routes/{compressAnswers,drafts,meantMethod,openapi}.test.ts',
  'test/sessions/{claimGpus,foreignNames,fuzz,names}.test.ts',
  'test/sessions/{drafts,lineage,preflight,queue,status}/**/*.test.ts',
  'test/sessions/outputs/active.test.ts',
  'test/sessions/outputs/shown.test.ts',
  'test/sessions/attempt/resumeArgv.test.ts',
  'test/sessions/versions/clusterFields.test.ts',
  'test/launchers/slurm/offers.test.ts',
  'test/sessions/record/{copies,uiState}.test.ts',
  'test/telemetry/**/*.test.ts',
  'test/trainers/{buckets,gpuPreset,modelNeeds,trainingCommand,trainingSettings}.test.ts',
  'test/trainers/sdOutput/**/*.test.ts',
  'test/trainers/sdScripts/{checkout,families,neededPackages,weights}.test.ts',
];

/** What measures its own process, each with its measure: a process for each file, where others go from file to file in one. */
const alone = Object.keys({
  'test/datasets/bombs.test.ts': 'a bomb is refused within 10 or 20 s, and within some memory',
  'test/datasets/streaming.test.ts': 'a file of any size passes through some megabytes',
  'test/routes/hugeBodies.test.ts': 'a huge request holds nobody up',
  'test/processes/gpus.test.ts': 'nvidia-smi is asked once in two seconds',
  'test/security/limits.test.ts': 'memory stays within its bounds while others allocate, too',
});

const all = ['test/**/*.test.ts'];
const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  test: {
    root,
    // A step of the practice trainer waits for PRACTICE_STEP_SECONDS, not for the processor.
    env: { ...pythonStartsFast(process.env.PATH ?? ''), PRACTICE_PATCHES: '8' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Of those that say so (`test.concurrent`): they wait for processes most of their time.
    maxConcurrency: 2,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new SaysWhyRetried()],
    projects: [
      { extends: true, test: { name: 'attacks', include: attacks } },
      { extends: true, test: { name: 'fast', include: fast, exclude: [...clocks, ...waiting], isolate: false } },
      // The report says which ones needed it.
      { extends: true, test: { name: 'clocks', include: clocks, retry: 2, isolate: false } },
      { extends: true, test: { name: 'waiting', include: waiting, retry: 2, isolate: false } },
      { extends: true, test: { name: 'alone', include: alone, retry: 2 } },
      {
        extends: true,
        test: {
          name: 'product',
          include: all,
          exclude: [...attacks, ...fast, ...clocks, ...waiting, ...alone],
          isolate: false,
        },
      },
    ],
  },
});

/** A Python without this machine's packages, compiled once: it is started three thousand times. */
function pythonStartsFast(path: string): Record<string, string> {
  const bare = join(root, '.cache', 'bare', 'bin');
  return {
    PATH: path.split(':').includes(bare) ? path : `${bare}:${path}`,
    PYTHONDONTWRITEBYTECODE: '',
    PYTHONPYCACHEPREFIX: join(root, '.cache', 'bytecode'),
  };
}
