/**
 * The rooms of sidecar/, from the top of the house to the ground: a line is a room. A file imports from its own room and
 * from those below it.
 */
const ROOMS = [
  ['load.ts', 'main.ts'],
  ['commands'],
  ['app.ts'],
  ['routes'],
  ['trackside.ts'],
  ['podParts.ts'],
  ['views'],
  ['doctor'],
  ['publish'],
  ['sessions/watchers'],
  ['sessions/versions'],
  ['sessions/drafts'],
  ['sessions/attempt'],
  ['sessions/queue', 'sessions/retention'],
  ['sessions/preflight'],
  ['sessions/exchange'],
  ['sessions/provenance'],
  ['sessions/outputs'],
  ['sessions/products'],
  ['sessions/status'],
  ['sessions/lineage'],
  ['sessions/byHand'],
  ['sessions/record'],
  ['sessions/facts.ts', 'sessions/byHandFacts.ts', 'sessions/savedFacts.ts', 'sessions/names.ts', 'sessions/claimGpus.ts', 'sessions/underWay.ts'],
  ['hub'],
  ['pods'],
  ['notices'],
  ['telemetry'],
  ['launchers'],
  ['trainers'],
  ['datasets'],
  ['live'],
  ['models'],
  ['security'],
  ['processes'],
  ['files'],
  ['bridge.ts', 'memory.ts', 'nearestName.ts', 'problem.ts', 'problemStatus.ts', 'slug.ts', 'request.ts', 'settings.ts', 'pod.ts', 'log.ts', 'caught.ts'],
];

const pathOf = (rooms) => {
  const paths = rooms.map((room) => (room.endsWith('.ts') ? room.replace('.', '\\.') : `${room}/`));
  return `^sidecar/(${paths.join('|')})`;
};

/** One rule a floor: what is below it imports nothing from it. */
const noImportUp = ROOMS.slice(0, -1).map((rooms, floor) => ({
  name: `no-import-up-to-${rooms.join('-and-')}`,
  comment: `What ${rooms.join(' and ')} offers is for the rooms above: a lower room takes what it needs as an argument.`,
  severity: 'error',
  from: { path: pathOf(ROOMS.slice(floor + 1).flat()) },
  to: { path: pathOf(rooms) },
}));

// Without it the check would pass over nearly all files in silence.
require('@swc/core');

module.exports = {
  forbidden: [
    ...noImportUp,
    {
      name: 'no-circle',
      comment: 'Two files that import each other are one idea, or hold a third one that both need.',
      severity: 'error',
      from: { path: '^sidecar/' },
      to: { circular: true },
    },
    {
      name: 'every-room-has-a-floor',
      comment: 'A new room is written into the order above before anything is imported from it.',
      severity: 'error',
      from: { path: '^sidecar/' },
      to: { path: '^sidecar/', pathNot: pathOf(ROOMS.flat()) },
    },
    {
      name: 'only-launchers-know-processes',
      comment: 'Where an attempt runs is for its launcher to know: the domain and the pages ask that.',
      severity: 'error',
      from: { path: pathOf(['routes', 'views', 'sessions']) },
      to: { path: pathOf(['processes']) },
    },
    {
      name: 'output-through-a-dialect',
      comment: 'What a kind of training prints and leaves behind is read through trainers/dialect.ts: another kind has its own.',
      severity: 'error',
      from: { path: '^sidecar/', pathNot: '^sidecar/trainers/' },
      to: { path: '^sidecar/trainers/sdOutput/' },
    },
    {
      name: 'domain-speaks-no-http',
      comment:
        'A template, an import, a queue and a program use the domain without HTTP; only what stands at the door knows Hono.',
      severity: 'error',
      from: {
        path: '^sidecar/',
        pathNot: pathOf(['main.ts', 'commands', 'app.ts', 'routes', 'live', 'security', 'request.ts']),
      },
      to: { path: '^node_modules/(hono|@hono)/' },
    },
  ],
  options: {
    // TypeScript 7 has no parser for other programs; swc has one.
    parser: 'swc',
    // An import of a type binds two files as any other does.
    tsPreCompilationDeps: true,
    exclude: { path: '^sidecar/browser/' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
