/**
 * Arrows point one way: cli → workers → activities → training, report → steps → inference, pool → formats, storage →
 * domain.
 */
const only = (from, allowed, comment, pathNot = []) => ({
  name: `${from}-imports-only-${allowed.join('-') || 'itself'}`,
  severity: 'error',
  comment,
  from: { path: `^${from}/`, pathNot },
  to: {
    path: '^(workflows|activities|steps|telemetry|training|tracking|report|workers|domain|storage|inference|formats|cli|demo|infra|bench|test|pool|cleanup|board|steering)/',
    pathNot: [`^${from}/`, ...allowed.map((folder) => `^${folder}/`)],
    dependencyTypesNot: ['type-only'],
  },
});

/** A room of the domain, and the rooms of the domain that it may know. */
const within = (room, allowed, comment) => ({
  name: `domain-${room}-imports-only-${allowed.join('-')}`,
  severity: 'error',
  comment,
  from: { path: `^domain/${room}/` },
  to: { path: '^domain/', pathNot: allowed.map((name) => `^domain/${name}/`), dependencyTypesNot: ['type-only'] },
});

/** A band of the scan, and the bands that it may know. */
const band = (name, allowed, comment) => ({
  name: `scan-${name}-imports-only-${allowed.join('-')}`,
  severity: 'error',
  comment,
  from: { path: `^domain/scan/${name}/` },
  to: {
    path: '^domain/scan/(image|rules|calibrate|verdict)/',
    pathNot: [name, ...allowed].map((other) => `^domain/scan/${other}/`),
    dependencyTypesNot: ['type-only'],
  },
});

module.exports = {
  forbidden: [
    only('domain', [], 'domain is pure: it imports no other folder'),
    only('workflows', ['domain'], 'workflows import domain code and types alone'),
    {
      name: 'workflows-no-node',
      severity: 'error',
      comment: 'workflow code is deterministic',
      from: { path: '^workflows/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'domain-no-io',
      severity: 'error',
      comment: 'domain does no input or output',
      from: { path: '^domain/' },
      to: { dependencyTypes: ['core'] },
    },
    within('base', ['base'], 'what everybody uses knows nothing of what it is used for'),
    within('geometry', ['geometry', 'base'], 'rasters and polygons know nothing of labels'),
    band('image', ['rules'], 'one label at a time: nothing of the chunk'),
    band('rules', ['image'], 'what the taxonomy forbids, in one label'),
    band('calibrate', ['image', 'rules'], 'candidates to probabilities: nothing of what is done about them'),
    only('storage', ['domain'], 'storage knows the domain alone'),
    only('formats', ['domain', 'storage'], 'formats know domain and storage'),
    only('pool', ['domain', 'storage', 'formats'], 'what is done to a pool knows formats, domain and storage'),
    only('cleanup', ['domain', 'storage'], 'what may go is read from records alone'),
    only('inference', ['domain', 'storage', 'steps'], 'inference knows domain, storage and how steps run'),
    only('tracking', ['domain', 'storage', 'steps'], 'what is noted in services of others: nothing of who asks'),
    only('steps', ['domain', 'storage'], 'how any step runs: commits, heartbeats, pins; nothing of what it does'),
    only(
      'steering',
      ['domain', 'storage', 'steps', 'activities'],
      'what people ask of loops: commands and pages ask it the same way',
    ),
    only(
      'board',
      ['domain', 'storage', 'pool', 'report', 'steering', 'inference'],
      'pages read storage, change pools, steer loops and show what reports and models say; they know no workflow',
      ['^board/main\\.ts$'],
    ),
    {
      name: 'board-main-reaches-services',
      severity: 'error',
      comment: 'the process of a board connects to the services as a worker does',
      from: { path: '^board/main\\.ts$' },
      to: {
        path: '^(workflows|activities|steps|telemetry|training|tracking|report|inference|formats|cli|demo|infra|bench|test)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    only('telemetry', ['domain', 'storage'], 'what the outside is told: messages and spans'),
    only('training', ['domain', 'storage', 'inference', 'steps'], 'what runs a trainer knows steps and derivatives'),
    only('report', ['domain', 'storage', 'inference', 'steps'], 'pages are functions from stored records to HTML'),
    only(
      'activities',
      ['domain', 'storage', 'inference', 'formats', 'pool', 'cleanup', 'steps', 'training', 'tracking', 'report'],
      'activities are thin: they call the folders below',
    ),
    only(
      'workers',
      ['activities', 'steps', 'telemetry', 'training', 'domain', 'storage', 'inference'],
      'workers put parts together',
    ),
    only(
      'infra',
      ['domain', 'storage', 'workers', 'steering'],
      'the local stack starts workers; it knows nothing of what they do',
    ),
    only(
      'cli',
      [
        ...['domain', 'storage', 'formats', 'pool', 'cleanup', 'inference', 'training', 'report', 'activities'],
        ...['steps', 'tracking', 'telemetry', 'workers', 'infra', 'board', 'steering'],
      ],
      'commands ask for work and show it; nothing that they call knows of them',
    ),
    only(
      'demo',
      ['domain', 'storage', 'formats', 'pool', 'infra', 'cli', 'steering'],
      'the demo does what a person does',
    ),
    {
      name: 'nobody-imports-demo-or-bench',
      severity: 'error',
      comment: 'what shows and measures the product is no part of it',
      from: { pathNot: '^(demo|bench|test)/' },
      to: { path: '^(demo|bench|test)/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules|\\.venv|\\.partloop)/' },
  },
};
