import { describeAnswer, type ApiServer } from './api-server.js';

export interface NewSecret {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Called only where the Secret is missing. */
  readonly makeValues: () => Readonly<Record<string, string>>;
}

/**
 * Makes a Secret unless there is one of that name; one that is there is neither read nor changed. Several may try it at
 * the same time: one of them makes it. Needs `get` on that name and `create` on Secrets.
 *
 * @throws Error with what the API server said, where it refused or was not reached
 */
export async function createSecretIfMissing(
  server: ApiServer,
  namespace: string,
  { name, labels, makeValues }: NewSecret,
): Promise<'created' | 'present'> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  // Asked first, because a full quota refuses to create also what is there already.
  const named = `${path}/${encodeURIComponent(name)}`;
  const found = await server.call('GET', named);
  if (found.status === 200) return 'present';
  if (found.status !== 404) throw new Error(describeAnswer('GET', named, found));
  const data = Object.fromEntries(
    Object.entries(makeValues()).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  const made = await server.call('POST', path, {
    ...{ apiVersion: 'v1', kind: 'Secret', type: 'Opaque' },
    metadata: { name, labels },
    data,
  });
  if (made.status === 201) return 'created';
  // Another one was faster, or an earlier try of ours whose answer was lost.
  if (made.status === 409 && made.body['reason'] === 'AlreadyExists') return 'present';
  throw new Error(describeAnswer('POST', path, made));
}
