import {
  createHttpApplication,
  type HttpApplication,
  type HttpApplicationOptions,
} from '../../libs/platform/http/http-application.js';
import type { PlatformOptions } from '../../libs/platform/platform.module.js';
import { AppModule, type Composition } from './app.module.js';
import type { ApiConfig } from './config.js';

type Parts = PlatformOptions & { readonly config: ApiConfig };
type AddRoutes = HttpApplicationOptions['addRoutes'];

/** The application as a whole, behind HTTP but not listening yet. */
export function createHttpApp(
  parts: Parts,
  composition: Composition = {},
  addRoutes: AddRoutes = () => undefined,
): Promise<HttpApplication> {
  const { config, path, metrics, health } = parts;
  const { consistency, tokens } = path;
  const module = AppModule.register(parts, composition);
  return createHttpApplication({ module, config, health, metrics, consistency, tokens, addRoutes });
}
