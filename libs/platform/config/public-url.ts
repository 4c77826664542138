/** What the address of the API is made of. */
export interface PublicUrlConfig {
  readonly PUBLIC_URL?: string | undefined;
  readonly PORT: number;
}

/** How clients reach the API, from the configuration; never from a request. */
export const publicUrlOf = ({ PUBLIC_URL, PORT }: PublicUrlConfig): string =>
  PUBLIC_URL ?? `http://localhost:${PORT}`;
