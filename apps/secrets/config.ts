import { z } from 'zod';
import { integer, list } from '../../libs/platform/config/environment.js';
import { loggingVariables } from '../../libs/platform/logging/logging.config.js';

const name = () => z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be a name of Kubernetes');
const label =
  /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?=([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/;

/** Variables of the program that creates Secrets. */
export const secretsVariables = {
  LOG_LEVEL: loggingVariables.LOG_LEVEL,
  CREDENTIALS_SECRET: name().optional().describe('Secret of passwords. Unset: none is made.'),
  JWT_KEYS_SECRET: name().optional().describe('Secret of the keys of access tokens. Unset: none is made.'),
  SECRETS_NAMESPACE: name().optional().describe('Where they are made. Default: the namespace of this pod.'),
  SECRET_LABELS: list()
    .refine((labels) => labels.every((each) => label.test(each)), 'must be labels, name=value,name=value')
    .transform((labels): Readonly<Record<string, string>> => Object.fromEntries(labels.map(split)))
    .default({})
    .describe('Labels of the Secrets: `name=value,name=value`.'),
  KUBERNETES_SERVICE_HOST: z.string().describe('Host of the API server; set in every pod.'),
  KUBERNETES_SERVICE_PORT: integer(1, 65_535).describe('Port of the API server; set in every pod.'),
  SERVICE_ACCOUNT_DIR: z
    .string()
    .default('/var/run/secrets/kubernetes.io/serviceaccount')
    .describe('Mount of the service account.'),
};

function split(label: string): readonly [string, string] {
  const [key = '', value = ''] = label.split('=');
  return [key, value];
}
