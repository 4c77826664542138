import { embeddedDrivers, type PlatformConfig } from './platform-variables.js';
import { InvalidEnvironment, parseEnvironment, type Environment, type Variables } from './environment.js';

/**
 * The configuration of a process out of the environment, with what holds between variables.
 *
 * @throws InvalidEnvironment with all problems
 */
export function loadConfig<V extends Variables>(variables: V & Variables): Environment<V> {
  const config = parseEnvironment(process.env, variables);
  const platform = config as unknown as PlatformConfig;
  if (platform.NODE_ENV === 'production' && !platform.ALLOW_EMBEDDED_DRIVERS) {
    const missing = embeddedDrivers(platform);
    if (missing.length > 0) {
      throw new InvalidEnvironment(
        missing.map((name) => `${name}: is needed in production (or set ALLOW_EMBEDDED_DRIVERS=true)`),
      );
    }
  }
  return config;
}

/** For a program's entry: prints the problems and leaves with 78 (EX_CONFIG), or returns the configuration. */
export function loadConfigOrExit<V extends Variables>(variables: V & Variables): Environment<V> {
  try {
    return loadConfig(variables);
  } catch (error) {
    if (!(error instanceof InvalidEnvironment)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(78);
  }
}
