import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import type { z } from 'zod';

/** What an endpoint answers, in the terms of the OpenAPI document and of the response interceptor alike. */
export interface EndpointOptions {
  readonly summary: string;
  readonly description?: string;
  /** Status of success. */
  readonly status: number;
  /** Schema of the body of success; `null` where there is none (202, 204). */
  readonly response: z.ZodType | null;
  /** Headers of success, by name in lower case. */
  readonly headers?: readonly ResponseHeader[];
  /** Problem statuses beyond those that follow from body, query, authentication and path. */
  readonly problems?: readonly number[];
  /** Takes `Idempotency-Key`. */
  readonly isIdempotent?: boolean;
  /** Conditional request headers that are evaluated. */
  readonly conditions?: readonly ('If-Match' | 'If-None-Match')[];
  /** Takes any query: a load balancer may add one to its health check. */
  readonly ignoresQuery?: boolean;
  /** The feature whose view of the caller it changes: its mark is set with the beginning of the request. */
  readonly writes?: string;
  /** Counts against no limit: a load balancer asks it all the time. */
  readonly isUnlimited?: boolean;
  /** Makes an account, logs in or sends a mail: counted against a limit of its own besides. */
  readonly isCredentials?: boolean;
  /** Points that a call counts against the limit, by its unchecked body; 1 unless told. */
  readonly cost?: (body: unknown) => number;
  /** Other media types of the request body than application/json. */
  readonly bodyTypes?: readonly string[];
}

export type ResponseHeader = 'etag' | 'location' | 'link';

export const ENDPOINT = 'endpoint';
export const IS_PUBLIC = 'is-public';

/** Every handler carries one: the interceptor shapes its answer by it, the OpenAPI document describes it. */
export const Endpoint = (options: EndpointOptions): MethodDecorator =>
  applyDecorators(SetMetadata(ENDPOINT, options), HttpCode(options.status));

/** Needs no access token. Everything else does: deny by default. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(IS_PUBLIC, true);
