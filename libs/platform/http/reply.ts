/** What a handler answers when a body and the declared status are not all of it. */
export class Reply<T = unknown> {
  constructor(
    readonly body: T,
    readonly options: {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** The body is already what goes out (a replayed answer): no schema is applied. */
      readonly isFinal?: boolean;
    } = {},
  ) {}
}
