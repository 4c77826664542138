// Loaded into the API's process by NODE_OPTIONS=--import. SIGUSR2 starts the profile, a second one ends it and writes it to PROFILE_FILE;
// so the warm-up is not in it. PROFILE_KIND is `cpu` or `heap`.
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { isMainThread } from 'node:worker_threads';

const { PROFILE_FILE: file, PROFILE_KIND: kind } = process.env;

const kinds = {
  cpu: {
    start: async (session) => {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
    },
    stop: (session) => session.post('Profiler.stop'),
  },
  heap: {
    start: (session) =>
      session.post('HeapProfiler.startSampling', {
        samplingInterval: 32 * 1024,
        // Garbage has been allocated, too; without these, only what still lives is counted.
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      }),
    stop: (session) => session.post('HeapProfiler.stopSampling'),
  },
};

/** Whoever waits for the file must not see a part of it. */
function write(path, text) {
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
}

async function record() {
  const session = new Session();
  session.connect();
  const { start, stop } = kinds[kind];
  await start(session);
  write(`${file}.started`, '');
  process.once('SIGUSR2', async () => {
    const { profile } = await stop(session);
    session.disconnect();
    write(file, JSON.stringify(profile));
  });
}

if (isMainThread && file !== undefined) process.once('SIGUSR2', () => void record());
