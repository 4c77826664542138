import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { chart, helms, refusal, render } from './chart.js';

const external = { 'postgres.mode': 'external', 'postgres.external.existingSecret': 'postgres' };

describe('contradictory values are refused with a message', () => {
  it.each<[string, Record<string, unknown>]>([
    ["1st-tasks can't be the name of a Service", { fullnameOverride: '1st-tasks' }],
    ["tasks.shop can't be the name of a Service", { fullnameOverride: 'tasks.shop' }],
    ['commonLabels names app.kubernetes.io/name', { commonLabels: { 'app.kubernetes.io/name': 'shop' } }],
    ['api.podLabels names', { 'api.podLabels': { 'app.kubernetes.io/component': 'web' } }],
    ['api.terminationGracePeriodSeconds is 30', { 'api.terminationGracePeriodSeconds': 30 }],
    ['api.stopTimeoutSeconds is 20, but a request may take 45 s', { 'api.stopTimeoutSeconds': 20 }],
    ['a request may take 75 s', { 'config.REQUEST_TIMEOUT_MS': 60_000 }],
    ['api.resources.limits.memory is needed', { 'api.resources': { requests: { cpu: 1 }, limits: null } }],
    ['api.resources.requests.cpu is needed', { 'api.resources.requests': { cpu: null, memory: '1Gi' } }],
    ['minReplicas is 20, more than maxReplicas', { 'api.autoscaling.minReplicas': 20 }],
    ['provider is keda', { 'api.autoscaling.enabled': false, 'api.autoscaling.custom.provider': 'keda' }],
    ['config.DATABASE_URL is set by the chart: use postgres', { 'config.DATABASE_URL': 'postgres://x/y' }],
    ['api.extraEnv names PORT', { 'api.extraEnv': [{ name: 'PORT', value: '1' }] }],
    ['postgres.external.existingSecret is needed', { 'postgres.mode': 'external' }],
    ['redis.external.existingSecret is needed', { 'redis.mode': 'external' }],
    ['clusterName is needed', { 'postgres.mode': 'cloudnativepg', 'postgres.cloudnativepg.create': false }],
    ['mail.from is needed', { 'mail.existingSecret': 'smtp' }],
    ['mail.existingSecret is needed', { 'mail.from': 'a@example.com' }],
    ['ingress.hosts is needed', { 'ingress.enabled': true }],
    ['httpRoute.parentRefs is needed', { 'httpRoute.enabled': true }],
    ['gke.backendConfig is for an Ingress', { 'gke.backendConfig': true }],
    ['gke.healthCheckPolicy and gke.backendPolicy are for a Gateway', { 'gke.healthCheckPolicy': true }],
    ['parameters.fsync is set by the chart', { 'postgres.bundled.parameters.fsync': 'off' }],
    ['azure.healthCheckPolicy is for a Gateway', { 'azure.healthCheckPolicy': true }],
    ['above postgres.bundled.maxConnections 300', { 'api.autoscaling.maxReplicas': 25 }],
    ['above postgres.external.maxConnections 100', { ...external, 'postgres.external.maxConnections': 100 }],
    [
      'above postgres.external.replicaMaxConnections 50',
      { ...external, 'postgres.external.replicaMaxConnections': 50 },
    ],
    [
      'loadTest.users is 20, but config.RATE_LIMIT_CREDENTIALS_POINTS allows 10 logins a minute',
      { 'loadTest.enabled': true, 'loadTest.users': 20 },
    ],
    ['loadTest.variables.BASE_URL is set by the chart', { 'loadTest.variables': { BASE_URL: 'http://x' } }],
    ['redis.bundled.maxmemoryMiB 512 must be below', { 'redis.bundled.maxmemoryMiB': 512 }],
  ])('%s', (sentence, set) => {
    expect(refusal({ set })).toContain(sentence);
  });

  it('for all of them at once', () => {
    const message = refusal({ set: { 'ingress.enabled': true, 'mail.existingSecret': 'smtp' } });
    expect(message).toContain('ingress.hosts');
    expect(message).toContain('mail.from');
  });
});

describe('the schema', () => {
  it.each<[string, Record<string, unknown>]>([
    ["additional properties 'replica' not allowed", { 'api.replica': 3 }],
    ['/api/replicas', { 'api.replicas': 'three' }],
    ['/api/resources/requests/memory', { 'api.resources.requests.memory': '512 MB' }],
    ['/api/maxSurge', { 'api.maxSurge': 0 }],
    ['/image/digest', { 'image.digest': 'sha256:abc' }],
    ['/postgres/mode', { 'postgres.mode': 'sqlite' }],
    ['/postgres/bundled/replicas', { 'postgres.bundled.replicas': 1, 'postgres.bundled.synchronous': true }],
    ['/postgres/cloudnativepg/instances', { 'postgres.cloudnativepg.instances': 2 }],
    ['/trustedProxies/0', { trustedProxies: ['0.0.0.0/0'] }],
    ['/trustedProxies/0', { trustedProxies: ['::/0'] }],
    ['/trustedProxies/0', { trustedProxies: ['10.0.0.0/33'] }],
    ['/redis/external/cidrs/0', { 'redis.external.cidrs': ['10.0.0.0'] }],
    // In a NetworkPolicy, an empty list of peers means all peers, and an empty list of ports all ports.
    ['/postgres/external/cidrs', { 'postgres.external.cidrs': [] }],
    ["/postgres/external': missing property 'cidrs'", { 'postgres.external.cidrs': null }],
    ['/redis/external/ports', { 'redis.external.ports': [] }],
    ['/mail/ports', { 'mail.ports': [] }],
    ['/networkPolicy/kubernetesApi/cidrs', { 'networkPolicy.kubernetesApi.cidrs': [] }],
    ['/networkPolicy/otlp/ports', { 'networkPolicy.otlp.ports': [] }],
    ["/networkPolicy/ops': missing property", { 'networkPolicy.ops.monitoringNamespace': null }],
    ['/networkPolicy/http/from/0', { 'networkPolicy.http.from': [{}] }],
    ['/ingress/hosts/0', { 'ingress.hosts': ['https://tasks.example.com'] }],
    ['/loadTest/scenario', { 'loadTest.scenario': 'mix' }],
    ['/monitoring/serviceMonitor/enabled', { 'monitoring.serviceMonitor.enabled': 'yes' }],
  ])('refuses what is wrong with %s', (path, set) => {
    for (const helm of helms) expect(refusal({ helm, set })).toContain(path);
  });

  it('accepts addresses and ranges of IPv4 and IPv6, and values of a parent chart', () => {
    const trustedProxies = ['10.0.0.0/8', '192.168.1.10', 'fd00::/8', '2001:db8::1', '2001:db8::/120'];
    render({ set: { trustedProxies, global: { other: 1 } } });
  });

  it('is strict everywhere except in maps with names that users choose', () => {
    const loose: string[] = [];
    walk(JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8')) as Schema, '', loose);
    expect(loose).toEqual([]);
  });

  it('knows every value of values.yaml', () => {
    const values = parse(readFileSync(`${chart}/values.yaml`, 'utf8')) as Record<string, unknown>;
    const { properties = {} } = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8')) as Schema;
    expect(
      Object.keys(properties)
        .filter((name) => !['global', 'enabled'].includes(name))
        .sort(),
    ).toEqual(Object.keys(values).sort());
  });
});

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
}

/** Collects schema objects that declare properties but allow others; `global` belongs to the parent chart. */
function walk(schema: Schema, path: string, loose: string[]): void {
  if (schema.properties && schema.additionalProperties !== false && path !== '/global') loose.push(path);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    walk(property, `${path}/${name}`, loose);
}
