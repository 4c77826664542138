/**
 * The two parts of a request's address. The first delimiter begins the query and others are part of it (RFC 3986, 3.4);
 * the router takes `#` for one too, which no client should send.
 */
export function splitAddress(address: string): { readonly path: string; readonly query: string } {
  const end = address.search(/[?#]/);
  return end < 0
    ? { path: address, query: '' }
    : { path: address.slice(0, end), query: address.slice(end + 1) };
}
