export const usage = `Usage:
  seed --users N --tasks M          makes N users with M tasks in all; password of each: "correct horse battery"
  user show EMAIL
  user set-tier EMAIL free|premium  the user has to log in anew
  user set-role EMAIL user|admin    the user has to log in anew
`;

/** A mistake of the person at the terminal: the sentence, the usage, exit code 64 (EX_USAGE). */
export class UsageError extends Error {}
