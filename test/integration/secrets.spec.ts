import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readKeyFiles } from '../../libs/auth/tokens/key-files.js';
import { startApi } from '../support/api.js';
import { makeCertificates } from '../support/certificates.js';
import { send, startKubernetesApi, type TestKubernetesApi } from '../support/kubernetes-api.js';
import { runApp } from '../support/run.js';
import { waitFor } from '../support/wait.js';

let kubernetes: TestKubernetesApi;
beforeEach(async () => {
  kubernetes = await startKubernetesApi();
});
afterEach(() => kubernetes.stop());

const names = { CREDENTIALS_SECRET: 'api-credentials', JWT_KEYS_SECRET: 'api-jwt-keys' };
const make = (env: Readonly<Record<string, string>> = names) =>
  runApp('secrets', [], { ...kubernetes.env, ...env });
const valuesOf = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(kubernetes.secrets.get(name)?.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );

describe('the program that creates Secrets', () => {
  it('creates what is missing, with values that are safe in URLs and a key that can sign', async () => {
    const labels = 'app.kubernetes.io/name=task-api,app.kubernetes.io/instance=x';
    const { code, output } = await make({ ...names, SECRET_LABELS: labels });
    expect([code, output]).toEqual([0, expect.stringContaining('a Secret was made')]);
    const credentials = valuesOf('api-credentials');
    expect(Object.keys(credentials).sort()).toEqual([
      ...['consistency-token-key', 'postgres-password', 'postgres-replication-password'],
      ...['postgres-superuser-password', 'redis-password'],
    ]);
    const secrets = Object.values(credentials);
    expect(secrets.filter((value) => !/^[0-9a-f]{64}$/.test(value))).toEqual([]);
    expect(new Set(secrets).size).toBe(secrets.length);
    const [[file, pem] = ['', '']] = Object.entries(valuesOf('api-jwt-keys'));
    const [key] = await keysOf(file, pem);
    expect(Math.abs((key?.madeAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
    for (const name of Object.values(names)) {
      expect(kubernetes.secrets.get(name)?.metadata.labels).toEqual({
        'app.kubernetes.io/name': 'task-api',
        'app.kubernetes.io/instance': 'x',
      });
    }
    for (const secret of [...secrets, pem]) expect(output).not.toContain(secret);
  });

  it('keeps what exists, and creates only what is requested', async () => {
    await make({ JWT_KEYS_SECRET: names.JWT_KEYS_SECRET, SECRETS_NAMESPACE: 'tasks' });
    expect([...kubernetes.secrets.keys()]).toEqual(['api-jwt-keys']);
    const before = kubernetes.secrets.get('api-jwt-keys');
    kubernetes.calls.length = 0;
    expect((await make()).output).toContain('a Secret is there');
    expect(kubernetes.secrets.get('api-jwt-keys')).toBe(before);
    expect(kubernetes.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
  });

  it('may run twice at the same time: the first one wins', async () => {
    let waiting: (() => void)[] = [];
    // Both find nothing before either creates anything.
    kubernetes.interfere = async ({ method, url }) => {
      if (method !== 'POST' || kubernetes.calls.filter((call) => call === `POST ${url}`).length > 2)
        return false;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length < 2) return;
        for (const go of waiting) go();
        waiting = [];
      });
      return false;
    };
    const runs = await Promise.all([make(), make()]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(kubernetes.calls.filter((call) => call.startsWith('POST')).length).toBeGreaterThanOrEqual(3);
    const words = runs.map(({ output }) => output).join('');
    expect(words.match(/a Secret was made/g)).toHaveLength(2);
    expect(words.match(/a Secret is there/g)).toHaveLength(2);
  });

  it('tries again if the server is unreachable, overloaded or fails', async () => {
    const failures = [
      (response: Parameters<typeof send>[0]) => send(response, 503, 'ServiceUnavailable'),
      (response: Parameters<typeof send>[0]) => send(response, 429, 'TooManyRequests'),
      (response: Parameters<typeof send>[0]) => response.destroy(),
    ];
    kubernetes.interfere = (_, response) => {
      const fail = failures.shift();
      fail?.(response);
      return fail !== undefined;
    };
    expect((await make()).code).toBe(0);
    expect([failures.length, kubernetes.secrets.size]).toEqual([0, 2]);
  });

  it('accepts what an earlier attempt has created, if its response was lost', async () => {
    let isFirst = true;
    kubernetes.interfere = async ({ method }, response, proceed) => {
      if (method !== 'POST' || !isFirst) return false;
      isFirst = false;
      // The Secret is stored, but the response is lost.
      response.writeHead = () => response;
      response.end = () => response.destroy();
      await proceed();
      return true;
    };
    expect((await make({ CREDENTIALS_SECRET: names.CREDENTIALS_SECRET })).code).toBe(0);
    expect(kubernetes.secrets.size).toBe(1);
    expect(kubernetes.calls.filter((call) => call.startsWith('POST'))).toHaveLength(2);
  });

  it('reports what it was refused, and does not try that again', async () => {
    kubernetes.interfere = ({ method }, response) => {
      if (method === 'POST') send(response, 403, 'Forbidden', 'secrets is forbidden: no right to create');
      return method === 'POST';
    };
    const { code, output } = await make();
    expect([code, output]).toEqual([1, expect.stringContaining('403: secrets is forbidden')]);
    expect(kubernetes.calls).toHaveLength(2);
    const { code: another } = await make({ ...names, SECRETS_NAMESPACE: 'other' });
    expect(another).toBe(1);
  });

  it('sends its token only to a server that its authority has signed, and ends at once on a signal', async () => {
    // The pod now trusts another authority.
    await makeCertificates(kubernetes.env['SERVICE_ACCOUNT_DIR'] ?? '');
    const run = await startApi({
      app: 'secrets',
      waitUntilReady: false,
      env: { ...kubernetes.env, ...names },
    });
    await waitFor(() => run.logs().includes('it is tried again'));
    expect(run.logs()).toMatch(/certificate|SIGNATURE/);
    expect(kubernetes.calls).toEqual([]);
    expect(await run.stop('SIGTERM')).toBe(143);
  });

  it('reports a wrong configuration by exit code 78', async () => {
    const outside = await runApp('secrets', [], { SECRET_LABELS: 'no label', CREDENTIALS_SECRET: 'A_B' });
    expect(outside).toMatchObject({ code: 78, output: expect.stringContaining('KUBERNETES_SERVICE_HOST') });
    expect(outside.output).toMatch(/CREDENTIALS_SECRET: .*\n.*\n.*\n.*SECRET_LABELS: /);
  });
});

async function keysOf(file: string, pem: string) {
  const directory = await mkdtemp(join(tmpdir(), 'secrets-test-'));
  try {
    await writeFile(join(directory, file), pem);
    return await readKeyFiles(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
