import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../../platform/context/caller.js';

const maxSessions = 10_000;

type Session = Pick<Caller, 'userId' | 'sessionId'>;
/** A session is one of its user: with another one it is unknown, which tells nothing of it. */
const keyOf = ({ userId, sessionId }: Session): string => `${userId} ${sessionId}`;

/**
 * Sessions that this process knows to have ended; none of them begins again. A call with a token of theirs counts for its IP: it
 * must not use up what its user may call.
 */
@Injectable()
export class EndedSessions {
  private readonly ids = new LRUCache<string, true>({ max: maxSessions });

  add(caller: Session): void {
    this.ids.set(keyOf(caller), true);
  }

  has(caller: Session): boolean {
    // Most processes know of none: a key is not made for each call.
    return this.ids.size > 0 && this.ids.has(keyOf(caller));
  }
}
