import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

export interface Remains {
  readonly pid: number;
  /** Postgres ends its children on SIGQUIT; others need no more than SIGKILL. */
  readonly signal: 'SIGQUIT' | 'SIGKILL';
  readonly directory?: string | undefined;
}

const script = `
  read -r _ && exit
  kill -"$2" "$1"
  kill -CONT "$1"
  for try in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" || break; sleep 1; done
  kill -KILL "$1"
  test -z "$3" || rm -rf "$3"
`;

/**
 * Ends a server and removes its folder if this process ends without doing so, for example by a signal. Jest gives each
 * suite a copy of `process`, which never emits `exit`; a shell that reads from this process notices every end.
 * @returns A function that cancels this.
 */
export function endWithUs({ pid, signal, directory = '' }: Remains): () => void {
  const args = ['-c', script, 'sh', String(pid), signal.slice('SIG'.length), directory];
  // In a separate session, because Ctrl-C in a terminal reaches all processes of this one.
  const watcher = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.unref();
  const input = watcher.stdin as Socket;
  input.unref();
  input.on('error', () => undefined);
  return () => {
    if (!input.writableEnded) input.end('\n');
  };
}
