/**
 * `npm run bench -- scrape`: the cost of a scrape once a process has all its series: response time, CPU of the process
 * and number of series. Before that, every route is called, also with the usual mistakes.
 */
import { client } from '../test/support/client.js';
import { listOperations } from '../test/support/openapi.js';
import { cpuSeconds } from './support/cpu.js';
import { withDeployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { percentile } from './support/percentile.js';

const warmUp = 20;
const scrapes = 200;

await withDeployment({ apis: [{}] }, async ({ apis }) => {
  const [api] = apis;
  if (api === undefined) throw new Error('A process is needed.');
  const calls = client(api.url);
  const { accessToken: token } = await calls.registerAndLogin();
  for (const { method, path, body } of listOperations()) {
    const address = path.replace('{id}', '01a20bd0-a3d5-72dd-85bc-d2ed4f1b866f');
    await calls.request(method, address);
    await calls.request(method, `${address}?unknown=1`, { token, ...(body !== null && { body: {} }) });
  }
  calls.close();
  for (const accept of ['text/plain', 'application/openmetrics-text;version=1.0.0']) {
    const scrape = async (): Promise<string> =>
      (
        await fetch(`${api.opsUrl}/metrics`, { headers: { accept }, signal: AbortSignal.timeout(5000) })
      ).text();
    for (let n = 0; n < warmUp; n++) await scrape();
    const before = cpuSeconds([api.pid]);
    const times: number[] = [];
    let text = '';
    for (let n = 0; n < scrapes; n++) {
      const startedAt = performance.now();
      text = await scrape();
      times.push(performance.now() - startedAt);
    }
    const cpuMs = ((cpuSeconds([api.pid]) - before) / scrapes) * 1000;
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    const name = accept.split(';', 1)[0] ?? '';
    say(`${name}: ${series} series, ${text.length} bytes, ${cpuMs.toFixed(1)} ms of CPU a scrape`);
    report({ bench: 'scrape', what: `${name}, median ms`, value: percentile(times, 0.5), atMost: 10 });
    report({ bench: 'scrape', what: `${name}, series`, value: series, atMost: 3000 });
  }
});
