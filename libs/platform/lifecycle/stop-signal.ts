/** Resolves with the name of the first SIGTERM or SIGINT; a SIGINT after that (Ctrl-C again) ends the process at once. */
export function onStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (signal: NodeJS.Signals) => {
      if (isStopping && signal === 'SIGINT') process.exit(130);
      isStopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}
