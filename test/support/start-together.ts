interface Stoppable {
  stop(): Promise<void>;
}

/** Starts several servers in parallel. If one of them fails, it stops the others and throws the error. */
export async function startTogether<T extends Stoppable>(
  starts: readonly Promise<T>[],
): Promise<readonly T[]> {
  const results = await Promise.allSettled(starts);
  const started = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return started;
  await stopTogether(started);
  throw failed.reason;
}

export async function stopTogether(servers: readonly Stoppable[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}
