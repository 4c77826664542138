/**
 * Whether Redis refused the command because it is wrong: a bug of ours. Other refusals mean that Redis can't work
 * now: it is loading, is a replica, is out of memory, or has too few replicas of its own. The codes are the first words of
 * the text, as the protocol defines.
 */
export function isRefusedCommand(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === 'ReplyError' &&
    /^(ERR|WRONGTYPE|CROSSSLOT) /.test(error.message) &&
    !/READONLY|OOM|NOREPLICAS|MISCONF/.test(error.message)
  );
}
