import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The network of an address, as limits count it. IPv6 by /64: whoever has one address has all of these. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  // IPv4 that is written as IPv6 is IPv4.
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${new ipaddr.IPv6([...parsed.parts.slice(0, 4), 0, 0, 0, 0]).toString()}/64`;
}
