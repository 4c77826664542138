import { z } from 'zod';
import { flag, integer, url, type Environment } from '../config/environment.js';

const seenBySdk = 'Read by OpenTelemetry itself.';

/**
 * The variables of OpenTelemetry that are validated and documented here. Its SDK reads them, and all others of its specification, from
 * the environment by itself, and ignores invalid values silently.
 */
export const telemetryVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https')
    .optional()
    .describe(
      'Where traces are sent by OTLP over HTTP, such as `http://collector:4318`; `/v1/traces` is added. Unset: no traces.',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url('http', 'https')
    .optional()
    .describe('The same as a whole address, to which nothing is added.'),
  OTEL_EXPORTER_OTLP_PROTOCOL: z
    .enum(['http/protobuf'], 'must be http/protobuf')
    .default('http/protobuf')
    .describe('How traces are sent: the one way that is built in.'),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .optional()
    .describe(
      `Headers of what is sent, \`name=value,name=value\` with values percent-encoded. A secret. ${seenBySdk}`,
    ),
  OTEL_EXPORTER_OTLP_TIMEOUT: integer(1, 60_000)
    .default(10_000)
    .describe(`Longest time for sending a batch, in milliseconds. ${seenBySdk}`),
  OTEL_SERVICE_NAME: z.string().optional().describe('Name of the service in traces. Default: `task-api`.'),
  OTEL_RESOURCE_ATTRIBUTES: z
    .string()
    .optional()
    .describe(`What else is told of the service, \`deployment.environment.name=production,…\`. ${seenBySdk}`),
  OTEL_TRACES_SAMPLER: z
    .enum([
      ...(['always_on', 'always_off', 'traceidratio'] as const),
      ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
    ])
    .default('parentbased_always_on')
    .describe(
      'Which traces are kept. The ones with `parentbased_` follow the caller, whose `traceparent` must then be trusted.',
    ),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0|1|0?\.\d{1,10}|[01]\.0{1,10}|[1-9](\.\d{1,10})?e-\d{1,2})$/, 'must be from 0 to 1')
    .optional()
    .describe('Share of the traces that the samplers with `traceidratio` keep, 0 to 1. Default: all.'),
  OTEL_SDK_DISABLED: flag().default(false).describe('`true`: no traces, wherever they would go.'),
};

export type TelemetryConfig = Environment<typeof telemetryVariables>;
