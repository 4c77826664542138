import { runApi } from './run.js';

await runApi();
