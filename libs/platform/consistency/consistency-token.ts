import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isPosition, type Position } from '../positions/position.js';

/**
 * `Consistency-Token`: proves to any process how far the database had come when the user's write was acknowledged. It is
 * opaque to clients and signed for one user, so that nobody can pass it on or make one up.
 */
export class ConsistencyTokens {
  private readonly key: Buffer;

  constructor(secret: string | undefined) {
    this.key =
      secret === undefined
        ? randomBytes(32)
        : createHmac('sha256', 'consistency-token').update(secret).digest();
  }

  issue(userId: string, position: Position): string {
    return `${position}.${this.mac(userId, position)}`;
  }

  /** The position; null for a token that we did not sign for this user, which counts as no token. */
  read(userId: string, token: string | string[] | null | undefined): Position | null {
    if (typeof token !== 'string' || token.length > 100) return null;
    const [position = '', mac = ''] = token.split('.', 2);
    if (!isPosition(position)) return null;
    const [given, right] = [Buffer.from(mac), Buffer.from(this.mac(userId, position))];
    return given.length === right.length && timingSafeEqual(given, right) ? position : null;
  }

  private mac(userId: string, position: Position): string {
    return createHmac('sha256', this.key).update(`${userId} ${position}`).digest('base64url').slice(0, 22);
  }
}
