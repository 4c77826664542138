import { hideWebSockets } from '../../libs/platform/lifecycle/hide-web-sockets.js';

hideWebSockets();
// Not above: what a module imports is loaded before its first line runs.
const { runApi } = await import('./run.js');
await runApi();
