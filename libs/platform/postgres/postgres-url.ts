import { decodes } from '../config/percent-encoding.js';

const form = /^(postgres(?:ql)?:\/\/)((?:[^/]*@)?)([^/?@]+)(.*)$/;

/** Splits a URL that may name several hosts, as libpq takes them, into one URL for each host; null for any other text. */
export function parsePostgresUrl(url: string): readonly string[] | null {
  const [, scheme, credentials = '', hosts = '', rest = ''] = form.exec(url) ?? [];
  if (scheme === undefined) return null;
  const urls = hosts.split(',').map((host) => `${scheme}${credentials}${host}${rest}`);
  return urls.every(isUsable) ? urls : null;
}

/** Without a host pg would connect to this machine; it throws for a name or password that can't be decoded. */
function isUsable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname, username, password } = new URL(url);
  return hostname !== '' && decodes(username) && decodes(password);
}
