/** The arrows of the house (README "The house"): who may import whom, each with its reason. */
const code = '^(workflows|activities|workers|api|infra|test)/';
const notTest = { pathNot: '\\.test\\.ts$|(^|/)testing(\\.ts$|/)' };

module.exports = {
  forbidden: [
    {
      name: 'workflows-are-deterministic',
      comment:
        'Workflow code is replayed: it may import itself, the SDK’s workflow API and pure formats, and nothing that does I/O.',
      severity: 'error',
      from: { path: '^workflows/', ...notTest },
      to: { pathNot: '^workflows/|node_modules/@temporalio/(workflow|common)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-zod-in-workflows',
      comment: 'zod in a workflow triples the memory of each cached workflow; validate at the door.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: 'node_modules/zod/' },
    },
    {
      name: 'model-is-pure',
      comment: 'The model is shared by all; it may import nothing but itself.',
      severity: 'error',
      from: { path: '^workflows/model/', ...notTest },
      to: { pathNot: '^workflows/model/' },
    },
    {
      name: 'clients-know-no-temporal',
      comment: 'Only *.activities.ts know Temporal: the host worker uses the same clients without it.',
      severity: 'error',
      from: { path: '^activities/', pathNot: '\\.activities\\.ts$|\\.test\\.ts$' },
      to: { path: 'node_modules/@temporalio/' },
    },
    {
      name: 'activities-see-only-the-model',
      comment: 'Activities may use the workflows’ model, never workflow code, and no way in.',
      severity: 'error',
      from: { path: '^activities/', ...notTest },
      to: { path: '^(workflows/(?!model/)|workers/|api/)' },
    },
    {
      name: 'host-worker-is-light',
      comment: 'The host worker runs without Temporal, Hono and S3.',
      severity: 'error',
      from: { path: '^workers/host/', ...notTest },
      to: { path: '\\.activities\\.ts$|node_modules/(@temporalio|hono|@hono|@aws-sdk)/|^api/|^workers/orchestrator/' },
    },
    {
      name: 'api-is-thin',
      comment: 'The ways in start and read operations; they do no work themselves. Pure formats are shared.',
      severity: 'error',
      from: { path: '^api/', ...notTest },
      to: { path: '^(workflows/(?!model/)|activities/(?!ovf/)|workers/)' },
    },
    {
      name: 'nobody-imports-infra-or-test',
      comment: 'How it is stood up, and what tests it, is no part of the product.',
      severity: 'error',
      from: { path: '^(workflows|activities|workers|api)/', ...notTest },
      to: { path: '^(infra|test)/' },
    },
    {
      name: 'infra-does-not-import-test',
      comment: 'Programs that people run can’t depend on tests.',
      severity: 'error',
      from: { path: '^infra/', ...notTest },
      to: { path: '^test/' },
    },
    {
      name: 'no-circles',
      comment:
        'A circle has no first step. (The lab’s hosts and their world know each other by type only, which is not told apart here.)',
      severity: 'error',
      from: { path: code, pathNot: '^infra/lab/vdsm/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
