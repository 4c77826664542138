/** Where a login comes from, for the list of sessions. */
export interface ClientInfo {
  /** Of the client, past the proxies that are trusted by configuration. */
  readonly ip: string;
  /** At most 200 characters of it. */
  readonly userAgent: string | null;
}
