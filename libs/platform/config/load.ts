import { InvalidEnvironment, parseEnvironment, type Environment, type Variables } from './environment.js';
import type { ProcessConfig } from './process.config.js';

/** What must hold between variables: the problems, each beginning with the variable's name. */
export type Rule<C> = (config: C) => readonly string[];

/** Production must name the real part for each driver that the process uses: an embedded one is lost with its pod. */
export const needsInProduction =
  <N extends string>(...names: readonly N[]): Rule<ProcessConfig & Readonly<Partial<Record<N, unknown>>>> =>
  (config) =>
    config.NODE_ENV !== 'production' || config.ALLOW_EMBEDDED_DRIVERS
      ? []
      : names
          .filter((name) => config[name] === undefined)
          .map((name) => `${name}: is needed in production (or set ALLOW_EMBEDDED_DRIVERS=true)`);

/** For variables that have no embedded driver. */
export const needsAlways =
  <N extends string>(...names: readonly N[]): Rule<Readonly<Partial<Record<N, unknown>>>> =>
  (config) =>
    names.filter((name) => config[name] === undefined).map((name) => `${name}: is needed`);

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
