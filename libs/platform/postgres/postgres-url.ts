import { decodes } from '../config/percent-encoding.js';

const form = /^(postgres(?:ql)?:\/\/)((?:[^/]*@)?)([^/?@]+)(.*)$/;

/** One URL a host, of one that may name several (as libpq takes them); null where it is none. */
export function parsePostgresUrl(url: string): readonly string[] | null {
  const [, scheme, credentials = '', hosts = '', rest = ''] = form.exec(url) ?? [];
  if (scheme === undefined) return null;
  const urls = hosts.split(',').map((host) => `${scheme}${credentials}${host}${rest}`);
  return urls.every(isUsable) ? urls : null;
}

/** Without a host the client would take the machine's own; a name or password that does not decode throws there. */
function isUsable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname, username, password } = new URL(url);
  return hostname !== '' && decodes(username) && decodes(password);
}
