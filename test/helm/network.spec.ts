import { describe, expect, it } from '@jest/globals';
import { manifests, variants } from './chart.js';
import { matches, ofKind, podsOf } from './manifest.js';

describe.each(variants)('the NetworkPolicies with values %s', (name, files) => {
  const all = manifests({ files });
  const policies = ofKind(all, 'NetworkPolicy');

  if (name === 'load-balancer') {
    it('do not exist if they are switched off', () => expect(policies).toEqual([]));
    return;
  }

  it('allow nothing that they do not name', () => {
    for (const { metadata, spec } of policies) {
      for (const rule of spec?.ingress ?? [])
        expect([metadata.name, rule]).toEqual([
          metadata.name,
          expect.objectContaining({ ports: expect.anything() }),
        ]);
      for (const { to = [], ports = [] } of spec?.egress ?? [])
        expect([metadata.name, to.length > 0, ports.length > 0]).toEqual([metadata.name, true, true]);
      const peers = [...(spec?.ingress ?? []), ...(spec?.egress ?? [])].flatMap(({ from = [], to = [] }) => [
        ...from,
        ...to,
      ]);
      for (const peer of peers)
        for (const selector of Object.values(peer))
          expect([metadata.name, Object.keys(selector as object).length]).not.toEqual([metadata.name, 0]);
    }
  });

  it('cover both directions of every pod', () => {
    for (const pod of podsOf(all)) {
      const own = policies.filter(({ spec }) => matches(spec?.podSelector ?? {}, pod.labels));
      const types = new Set(own.flatMap(({ spec }) => spec?.policyTypes ?? []));
      expect([pod.owner, [...types].sort()]).toEqual([pod.owner, ['Egress', 'Ingress']]);
    }
  });
});

describe('the DNS servers that every pod may ask', () => {
  const rules = (set: Record<string, unknown> = {}, files: readonly string[] = []) => {
    const policies = ofKind(manifests({ set, files }), 'NetworkPolicy');
    const egress = policies.flatMap(({ spec }) => spec?.egress ?? []);
    const port = (set['networkPolicy.dns.ports'] as number[] | undefined)?.[0] ?? 53;
    const found = egress.filter(({ ports = [] }) =>
      ports.some((each) => (each as { port: unknown }).port === port),
    );
    return [...new Set(found.map((rule) => JSON.stringify(rule)))].map((rule) => JSON.parse(rule) as unknown);
  };
  const kubeDns = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
    podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
  };
  const on = (port: number) => [
    { port, protocol: 'UDP' },
    { port, protocol: 'TCP' },
  ];
  const at = (cidr: string) => ({ ipBlock: { cidr } });

  it('are kube-dns and NodeLocal DNSCache by default', () => {
    expect(rules()).toEqual([{ to: [kubeDns, at('169.254.20.10/32')], ports: on(53) }]);
  });

  it('are also Cloud DNS on GKE, and the server of each node on EKS', () => {
    const gke = [kubeDns, at('169.254.20.10/32'), at('169.254.169.254/32')];
    expect(rules({}, ['values-gke.yaml', 'ci/preset-gke.yaml'])).toEqual([{ to: gke, ports: on(53) }]);
    const eks = [...['169.254.20.10/32', '10.100.0.10/32', '172.20.0.10/32'].map(at)];
    expect(rules({}, ['values-eks.yaml', 'ci/preset-eks.yaml'])).toEqual([
      { to: [kubeDns, ...eks], ports: on(53) },
    ]);
  });

  it('are those of the values, with another port, as OpenShift has', () => {
    const openshift = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'openshift-dns' } },
    };
    const dns = {
      'networkPolicy.dns.to': [openshift],
      'networkPolicy.dns.cidrs': [],
      'networkPolicy.dns.ports': [5353],
    };
    expect(rules(dns)).toEqual([{ to: [openshift], ports: on(5353) }]);
  });

  it('are none where the values name none', () => {
    expect(rules({ 'networkPolicy.dns.to': [], 'networkPolicy.dns.cidrs': [] })).toEqual([]);
  });
});

it('the policy of the hook that creates the Secrets exists before an upgrade runs the hook', () => {
  const own = { 'secrets.existingSecret': 'mine', 'secrets.existingJwtSecret': 'mine' };
  const names = ofKind(manifests({ set: own }), 'NetworkPolicy').map(({ metadata }) => metadata.name);
  expect(names).toContain('tasks-task-api-secrets');
});

describe('the NetworkPolicy of the API', () => {
  const ingress = (set: Record<string, unknown> = {}) =>
    ofKind(manifests({ set }), 'NetworkPolicy').find(({ metadata }) => metadata.name === 'tasks-task-api-api')
      ?.spec?.ingress;

  it('opens the public port to everyone by default, and always to the chart’s tests', () => {
    expect(ingress()?.[0]).toEqual({ ports: [{ port: 5000, protocol: 'TCP' }] });
    const peer = { namespaceSelector: { matchLabels: { name: 'edge' } } };
    const from = ingress({ 'networkPolicy.http.from': [peer] })?.[0]?.from;
    expect(from).toHaveLength(2);
    expect(from?.[0]).toEqual(peer);
  });

  it('opens the operations port only to monitoring and health checkers', () => {
    expect(ingress({ 'networkPolicy.ops.healthCheckerCidrs': ['10.0.0.0/24'] })?.[1]).toEqual({
      ports: [{ port: 5001, protocol: 'TCP' }],
      from: [
        { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
        { ipBlock: { cidr: '10.0.0.0/24' } },
      ],
    });
  });
});
