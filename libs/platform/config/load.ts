import { InvalidEnvironment, parseEnvironment, type Environment, type Variables } from './environment.js';
import type { PlatformConfig } from '../platform.config.js';

/** What must hold between variables: the problems, each beginning with the variable's name. */
export type Rule<C> = (config: C) => readonly string[];

/** Production must name the real part for each driver that the process uses: an embedded one is lost with its pod. */
export const needsInProduction =
  (...names: readonly (keyof PlatformConfig)[]): Rule<PlatformConfig> =>
  (config) =>
    config.NODE_ENV !== 'production' || config.ALLOW_EMBEDDED_DRIVERS
      ? []
      : names
          .filter((name) => config[name] === undefined)
          .map((name) => `${name}: is needed in production (or set ALLOW_EMBEDDED_DRIVERS=true)`);

/** For what an embedded driver makes no sense. */
export const needsAlways =
  (...names: readonly (keyof PlatformConfig)[]): Rule<PlatformConfig> =>
  (config) =>
    names.filter((name) => config[name] === undefined).map((name) => `${name}: is needed`);

/** What production must say of itself: mails would else link to the reader's own machine, and come from there. */
export const needsPublicAddresses: Rule<PlatformConfig> = ({ NODE_ENV, PUBLIC_URL, SMTP_URL, MAIL_FROM }) => [
  ...(NODE_ENV === 'production' && PUBLIC_URL === undefined ? ['PUBLIC_URL: is needed in production'] : []),
  ...(NODE_ENV === 'production' && SMTP_URL !== undefined && MAIL_FROM === undefined
    ? ['MAIL_FROM: is needed in production with SMTP_URL']
    : []),
];

/** Processes that share Redis must take each other's tokens. */
export const needsSharedTokenKey: Rule<PlatformConfig> = ({ NODE_ENV, REDIS_URL, CONSISTENCY_TOKEN_KEY }) =>
  NODE_ENV === 'production' && REDIS_URL !== undefined && CONSISTENCY_TOKEN_KEY === undefined
    ? ['CONSISTENCY_TOKEN_KEY: is needed in production with REDIS_URL']
    : [];

/** What makes the service wrong on purpose has no place outside of tests. */
export const hasNoTestSettings: Rule<PlatformConfig> = ({ NODE_ENV, TEST_WITHOUT_PROTECTION }) =>
  NODE_ENV !== 'test' && TEST_WITHOUT_PROTECTION !== undefined
    ? ['TEST_WITHOUT_PROTECTION: is for tests alone (NODE_ENV=test)']
    : [];

/**
 * The configuration of a process out of the environment.
 *
 * @throws InvalidEnvironment with all problems
 */
export function loadConfig<V extends Variables>(
  variables: V,
  rules: readonly Rule<Environment<V>>[] = [],
): Environment<V> {
  const config = parseEnvironment(process.env, variables);
  const problems = rules.flatMap((rule) => rule(config)).sort();
  if (problems.length > 0) throw new InvalidEnvironment(problems);
  return config;
}

/** For a program's entry: prints the problems and leaves with 78 (EX_CONFIG), or returns the configuration. */
export function loadConfigOrExit<V extends Variables>(
  variables: V,
  rules: readonly Rule<Environment<V>>[] = [],
): Environment<V> {
  try {
    return loadConfig(variables, rules);
  } catch (error) {
    if (!(error instanceof InvalidEnvironment)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(78);
  }
}
