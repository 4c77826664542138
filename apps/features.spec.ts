import { listHandlers } from '../libs/platform/http/handlers.js';
import { variablesOf } from '../libs/platform/features/feature-variables.js';
import { RateLimitPolicies } from '../libs/platform/throttling/policy.js';
import { features } from './features.js';

describe('the features of the product', () => {
  it('have names, caches and variables of their own', () => {
    const names = features.map(({ name }) => name);
    const caches = features.flatMap((feature) => feature.caches.map(({ name }) => name));
    for (const all of [names, caches]) expect(new Set(all).size).toBe(all.length);
    expect(() => variablesOf(features)).not.toThrow();
  });

  it('depend on features that there are', () => {
    const names = features.map(({ name }) => name);
    for (const { caches } of features)
      for (const { name, dependsOn } of caches)
        for (const feature of dependsOn)
          expect([name, names]).toEqual([name, expect.arrayContaining([feature])]);
  });
});

describe('every endpoint', () => {
  it('says what it does, what it answers, checks what it takes, and counts against limits that there are', async () => {
    // Loaded here: Jest can't load the throttler, which is CommonJS, while Nest's ES modules are being loaded.
    const { createOfflineApp } = await import('./api/offline-app.js');
    const { app } = await createOfflineApp();
    const handlers = listHandlers(app);
    expect(handlers.length).toBeGreaterThan(20);
    const incomplete = handlers
      .filter(({ endpoint, unchecked }) => endpoint === undefined || unchecked.length > 0)
      .map(({ method, path, unchecked }) => `${method} ${path} ${unchecked.join()}`);
    expect(incomplete).toEqual([]);
    const limits = handlers.flatMap(({ endpoint }) => endpoint?.limits ?? []);
    expect(limits).not.toEqual([]);
    expect(app.get(RateLimitPolicies).byRoute.map(({ name }) => name)).toEqual(
      expect.arrayContaining([...new Set(limits)]),
    );
    await app.close();
  });
});
