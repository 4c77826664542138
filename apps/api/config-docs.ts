import { describeVariables } from '../../libs/platform/config/documentation.js';
import { apiVariables } from './config.js';
import { writeGeneratedSection } from './generated-section.js';

/** `config-docs [--check]`: writes the table of environment variables, or fails where it is stale. */
await writeGeneratedSection(
  'docs/operations/configuration.md',
  'configuration',
  describeVariables(apiVariables),
  'npm run config:docs',
);
