/** Where a call comes from, for the list of sessions. */
export interface ClientInfo {
  /** Of the client, past the proxies that are trusted by configuration. */
  readonly ip: string;
  /** At most 200 characters of it. */
  readonly userAgent: string | null;
}

/** The program without its versions: an update makes no new device. */
export const programOf = ({ userAgent }: ClientInfo): string => (userAgent ?? '').replaceAll(/[0-9._]+/g, '');

const programs = {
  Edge: /Edg/,
  Opera: /OPR\//,
  Firefox: /Firefox\//,
  Chrome: /Chrome\//,
  Safari: /Safari\//,
};
const systems = {
  Android: /Android/,
  iOS: /iPhone|iPad/,
  Windows: /Windows/,
  macOS: /Mac OS X/,
  Linux: /Linux/,
};

/**
 * What a mail calls the program of a client. Names of a list alone: whoever logs in chooses the header, and could write to the owner
 * of the address by it.
 */
export function describeDevice({ userAgent }: ClientInfo): string {
  const nameIn = (names: Readonly<Record<string, RegExp>>) =>
    Object.entries(names).find(([, pattern]) => pattern.test(userAgent ?? ''))?.[0];
  const [program, system] = [nameIn(programs) ?? 'a program that is not a known browser', nameIn(systems)];
  return system === undefined ? program : `${program} on ${system}`;
}
