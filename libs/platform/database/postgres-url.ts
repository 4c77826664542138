const form = /^(postgres(?:ql)?:\/\/)((?:[^@/]*@)?)([^/?]+)(.*)$/;

/** One URL a host, of one that may name several (as libpq takes them); null where it is none. */
export function parsePostgresUrl(url: string): readonly string[] | null {
  const [, scheme, credentials = '', hosts = '', rest = ''] = form.exec(url) ?? [];
  if (scheme === undefined) return null;
  const urls = hosts.split(',').map((host) => `${scheme}${credentials}${host}${rest}`);
  return urls.every((each) => URL.canParse(each)) ? urls : null;
}
