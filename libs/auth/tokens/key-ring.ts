import type { KeyObject } from 'node:crypto';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { logger } from '../../platform/logging/logger.js';
import { VerificationKeys } from '../access/access.port.js';
import { readKeyFiles, type KeyFile } from './key-files.js';

const pollMs = 5000;

export interface KeyRingOptions {
  readonly directory: string;
  /** Age from which a key signs: all processes have loaded it by then. */
  readonly publishSeconds: number;
  readonly tokenTtlSeconds: number;
}

interface RingKey extends KeyFile {
  /** Since when the other processes may have loaded it. */
  readonly publishedAtMs: number;
  /** When its file was found missing; null while it is there. */
  readonly retiredAtMs: number | null;
}

/**
 * The keys of access tokens, read from a folder that all processes share (a mounted secret, a
 * volume) and looked at anew every 5 s. The last key by name signs, once it is `publishSeconds`
 * old; all of them verify, and one whose file has gone does so until the last token that it may
 * have signed has expired. To rotate, without a restart:
 *
 * ```
 * openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "keys/$(date -u +%Y-%m-%dT%H-%M-%SZ).pem"
 * # after JWT_KEY_PUBLISH_SECONDS + ACCESS_TOKEN_TTL_SECONDS and the time of a mount to follow (25 minutes as shipped):
 * rm keys/2026-01-01T00-00-00Z.pem
 * ```
 *
 * In Kubernetes the same two steps are done to the secret. What a process finds at its start is as
 * old as its name says, because a mount's times are those of the pod: so all processes agree which
 * key signs, whenever they started. A key that comes later is as old as its file, since its name may
 * have been given long before. Where no key is old enough the first by name signs: the one that the
 * other processes are sure to have. A key that leaked is removed and all processes are restarted.
 */
export class KeyRing extends VerificationKeys implements OnModuleInit, OnApplicationShutdown {
  private keys: readonly RingKey[] = [];
  private readonly listeners = new Set<() => void>();
  private isFirstLoad = true;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: KeyRingOptions,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  /** @throws Error where the folder holds no key */
  async onModuleInit(): Promise<void> {
    await this.reload();
    if (this.keys.length === 0)
      throw new Error(`There is no P-256 private key (*.pem) in ${this.options.directory}.`);
    this.timer = setInterval(() => {
      this.reload().catch((error: unknown) => {
        logger.error({ err: error }, 'the folder of signing keys can not be read; the known keys stay');
      });
    }, pollMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Reads the folder again. */
  async reload(): Promise<void> {
    const present = (await readKeyFiles(this.options.directory)).map((file) => this.admit(file));
    const kids = new Set(present.map(({ kid }) => kid));
    const missing = this.keys.filter(({ kid }) => !kids.has(kid)).map((key) => this.retire(key));
    const keepMs = (this.options.tokenTtlSeconds + this.options.publishSeconds) * 1000;
    const kept = missing.filter(({ retiredAtMs }) => this.now() - (retiredAtMs ?? 0) <= keepMs);
    this.replace([...kept, ...present]);
    this.isFirstLoad = false;
  }

  findPem(kid: string): string | null {
    return this.keys.find((key) => key.kid === kid)?.publicPem ?? null;
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** The key for new tokens. */
  signingKey(): KeyFile {
    const present = this.keys.filter(({ retiredAtMs }) => retiredAtMs === null);
    const publishedBefore = this.now() - this.options.publishSeconds * 1000;
    const published = present.filter(({ publishedAtMs }) => publishedAtMs <= publishedBefore);
    const key = published.at(-1) ?? present.at(0) ?? this.keys.at(-1);
    if (key === undefined) throw new Error('There is no key to sign access tokens with.');
    return key;
  }

  /** Every key that verifies, new and retired ones included. */
  all(): readonly { readonly kid: string; readonly publicKey: KeyObject }[] {
    return this.keys;
  }

  private replace(keys: readonly RingKey[]): void {
    const idsOf = (all: readonly RingKey[]): string =>
      all.map(({ kid, publicPem }) => kid + publicPem).join();
    const isChanged = idsOf(keys) !== idsOf(this.keys);
    this.keys = keys;
    if (isChanged) for (const listener of this.listeners) listener();
  }

  private admit(file: KeyFile): RingKey {
    const known = this.keys.find((key) => key.kid === file.kid && key.publicKey.equals(file.publicKey));
    if (known === undefined) logger.info({ kid: file.kid }, 'a signing key was loaded');
    return { ...file, publishedAtMs: this.publishedAt(file, known), retiredAtMs: null };
  }

  private publishedAt({ changedAtMs, madeAtMs }: KeyFile, known: RingKey | undefined): number {
    // The kubelet writes all files of a secret anew when one changes: that makes a known key no younger.
    if (known !== undefined) return Math.min(changedAtMs, known.publishedAtMs);
    if (this.isFirstLoad) return madeAtMs ?? changedAtMs;
    return Math.max(changedAtMs, madeAtMs ?? changedAtMs);
  }

  private retire(key: RingKey): RingKey {
    if (key.retiredAtMs === null)
      logger.info({ kid: key.kid }, 'a signing key was removed and verifies a while still');
    return { ...key, retiredAtMs: key.retiredAtMs ?? this.now() };
  }
}
