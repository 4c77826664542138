let isArmed = false;

/**
 * For tests of crashes: from the next SIGUSR2 on, this process dies between the next COMMIT and telling anybody of it.
 */
export function armFailPointOnSignal(): void {
  process.on('SIGUSR2', () => {
    isArmed = true;
  });
}

export function passFailPoint(): void {
  if (isArmed) process.kill(process.pid, 'SIGKILL');
}
