import { describeVariables } from '../../libs/platform/config/documentation.js';
import { apiVariables } from './config.js';
import { writeReadmeSection } from './readme-section.js';

/** `config-docs [--check]`: writes the configuration table into the README, or fails where it is stale. */
await writeReadmeSection('configuration', describeVariables(apiVariables), 'npm run config:docs');
