/** The rings: apps → features → platform, never backwards. */
// A feature is a folder of libs/ with a definition, `<name>.feature.ts`; so features need not be listed here.
const fs = require('node:fs');
const names = fs
  .readdirSync('libs')
  .filter((name) => fs.existsSync(`libs/${name}/${name}.feature.ts`))
  .join('|');
const FEATURES = `^libs/(${names})/`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'What needs each other belongs together, or meets in a third place.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-cycles-of-folders',
      comment: 'A folder of the platform can be understood without those that are built on it.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^libs/platform' },
      to: { circular: true },
    },
    {
      name: 'not-resolvable',
      comment: 'An import that this tool cannot follow is one whose ring it cannot check.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'platform-knows-no-feature',
      severity: 'error',
      from: { path: '^libs/platform/' },
      to: { path: '^libs/', pathNot: '^libs/platform/' },
    },
    {
      name: 'features-meet-at-ports-and-events',
      comment:
        'Another feature may run in another process: reach it through its *.port.ts or its *.events.ts.',
      severity: 'error',
      from: { path: FEATURES },
      to: { path: FEATURES, pathNot: ['^libs/$1/', '\\.(port|events)\\.ts$'] },
    },
    {
      name: 'services-know-no-http',
      comment: 'A service is called by any transport: controllers and adapters map requests and answers.',
      severity: 'error',
      from: { path: '\\.(service|repository|query|consumers?|port|events|entity)\\.ts$' },
      to: {
        path: ['^libs/platform/http/', '^libs/[^/]+/http/', 'node_modules/(@nestjs/platform-|fastify/)'],
      },
    },
    {
      name: 'drivers-know-no-feature',
      comment: 'The embedded Postgres and the Kubernetes client serve apps.',
      severity: 'error',
      from: { path: '^libs/(embedded|kubernetes)/' },
      to: { path: FEATURES },
    },
    {
      name: 'libs-know-no-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-stay-apart',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/[^/]+/', pathNot: '^apps/$1/' },
    },
    {
      name: 'product-knows-no-test',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/|\\.spec\\.ts$' },
    },
    {
      name: 'no-dev-dependencies-in-product',
      comment: 'The image is installed without them.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '\\.spec\\.ts$' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^node_modules/@types/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // k6 has its own modules. Express and Prisma are installed, and the build exists, only when they are compared.
    exclude: { path: '^load/(k6/|compare/(api|prisma)/.*\\.mjs$)' },
    // `import type` counts too: using another feature's type is a dependency on it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
