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
 * Ends a server and removes its folder when our process ends without having done so, be it by a signal. Jest gives
 * each suite a copy of `process`, whose `exit` event never comes; a shell that reads from us notices every end.
 * @returns What calls it off.
 */
export function endWithUs({ pid, signal, directory = '' }: Remains): () => void {
  const args = ['-c', script, 'sh', String(pid), signal.slice('SIG'.length), directory];
  // In a session of its own, since Ctrl-C in a terminal goes to all processes of ours.
  const watcher = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.unref();
  const input = watcher.stdin as Socket;
  input.unref();
  input.on('error', () => undefined);
  return () => {
    if (!input.writableEnded) input.end('\n');
  };
}
