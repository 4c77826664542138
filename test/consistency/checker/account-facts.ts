import type { Operation } from './history.js';
import { live, wrote, type Fact, type Statement } from './statements.js';

export function profileFacts(operations: readonly Operation[]): readonly Fact[] {
  return factsOf('profile', operations, (operation) => {
    const { kind, version, value, ifMatch, status } = operation;
    switch (kind) {
      case 'register':
        return wrote(operation, 'live', live(1));
      case 'profile.patch':
        if (status !== 412) return wrote(operation, 'live', nextRank(version, ifMatch), { value });
        return version === undefined ? [] : [{ type: 'saw', rank: live(version) }];
      case 'profile.get':
        if (version === undefined) return [];
        return [{ type: 'saw', rank: live(version), ...(value !== undefined && { value }) }];
      default:
        return [];
    }
  });
}

/** The passwords of a user are numbered from 1; password n is only replaced by password n + 1. */
export function passwordFacts(operations: readonly Operation[]): readonly Fact[] {
  return factsOf('password', operations, (operation) => {
    const { kind, outcome, status, target } = operation;
    const number = Number(target);
    switch (kind) {
      case 'register':
        return wrote(operation, 'live', live(1));
      case 'password.change':
        if (status === 403) return [{ type: 'saw-other', rank: live(number - 1) }];
        return wrote(operation, 'live', live(number));
      case 'login':
        if (status === 401) return [{ type: 'saw-other', rank: live(number) }];
        return outcome === 'ok' ? [{ type: 'saw', rank: live(number) }] : [];
      default:
        return [];
    }
  });
}

function nextRank(version: number | undefined, ifMatch: number | undefined): number | null {
  if (version !== undefined) return live(version);
  return ifMatch === undefined ? null : live(ifMatch + 1);
}

function factsOf(
  key: string,
  operations: readonly Operation[],
  statements: (operation: Operation) => readonly Statement[],
): readonly Fact[] {
  return operations.flatMap((operation) =>
    statements(operation).map((statement) => ({ operation, key, statement })),
  );
}
