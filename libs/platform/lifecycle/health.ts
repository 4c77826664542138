/** What the process says of itself. Only a process that stops or never started is not ready. */
export class Health {
  private state: 'starting' | 'serving' | 'stopping' = 'starting';

  get isStarted(): boolean {
    return this.state !== 'starting';
  }

  /** Losing a database or Redis does not make a process unready: all pods would leave at once. */
  get isReady(): boolean {
    return this.state === 'serving';
  }

  get isStopping(): boolean {
    return this.state === 'stopping';
  }

  serving(): void {
    this.state = 'serving';
  }

  stopping(): void {
    this.state = 'stopping';
  }
}
