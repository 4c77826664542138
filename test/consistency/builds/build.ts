import { join } from 'node:path';

export type BuildName = 'old' | 'new';

/** A checkout with its own `dist`, from which API processes are started. */
export interface Build {
  readonly name: BuildName;
  readonly root: string;
}

/** The builds that run side by side during a rolling update. */
export type Builds = Readonly<Record<BuildName, Build>>;

export const newBuild: Build = {
  name: 'new',
  root: process.env['TEST_API_ROOT'] ?? join(import.meta.dirname, '..', '..', '..'),
};
