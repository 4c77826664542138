/** An error that only HTTP knows: of the method, the media type, the size. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = new.target.name;
  }
}

/** 405: the address is there, but not for this method. */
export class MethodNotAllowed extends HttpError {
  constructor(allowed: readonly string[]) {
    const methods = allowed.join(', ');
    super(405, 'method_not_allowed', `This address takes ${methods}.`, { allow: methods });
  }
}
