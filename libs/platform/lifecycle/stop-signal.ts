import { constants } from 'node:os';

/** The process was asked to stop before it had done its work. */
export class Stopped extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
  }

  /** As a shell tells a death by that signal: for a command, whose work is not done. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal];
  }
}

export interface StopRequest {
  /** Aborted, with a `Stopped` for a reason, when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** Resolves with the name of the signal that asked. */
  readonly asked: Promise<NodeJS.Signals>;
}

/**
 * Waits for the first SIGTERM or SIGINT; a SIGINT after that (Ctrl-C again) ends the process at once. To be called
 * before anything is started: until then a signal leaves children behind, and process 1 of a container ignores it.
 */
export function onStopSignal(): StopRequest {
  const controller = new AbortController();
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      if (controller.signal.aborted && signal === 'SIGINT') process.exit(130);
      controller.abort(new Stopped(signal));
      resolve(signal);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
  return { signal: controller.signal, asked };
}

/** Runs a command to its end, or until the process is asked to stop. @throws Stopped */
export function untilStopped<T>(work: Promise<T>, { signal, asked }: StopRequest): Promise<T> {
  return Promise.race([work, asked.then(() => Promise.reject(signal.reason as Stopped))]);
}
