import { startApi } from '../support/api.js';

/** Prints, when the process ends, which parts of Node it has loaded. */
const tellBuiltIns =
  "process.on('exit',()=>{for(const name of process.moduleLoadList)process.stderr.write('loaded '+name+'\\n')})";

describe('a start', () => {
  it("loads nothing of Node's client for HTTP and WebSockets, which takes memory and time", async () => {
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(tellBuiltIns)}`;
    const api = await startApi({ env: { NODE_OPTIONS } });
    expect(await api.stop()).toBe(0);
    const loaded = [...api.logs().matchAll(/^loaded (.+)$/gm)].map(([, name = '']) => name);
    expect(loaded).toContain('NativeModule http');
    expect(loaded.filter((name) => name.includes('undici'))).toEqual([]);
  });
});
