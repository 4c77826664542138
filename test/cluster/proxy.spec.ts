import { jest } from '@jest/globals';
import { Namespace } from './support/kube.js';
import { startPod, startProbe } from './support/probe.js';
import { Release } from './support/release.js';

jest.setTimeout(900_000);

let namespace: Namespace;
let outside: Namespace;
let release: Release;

beforeAll(async () => {
  namespace = await Namespace.create('test-proxy');
  outside = await Namespace.create('test-proxy-outside');
  release = new Release(namespace);
  await release.install();
  await startNginx(await release.url());
  await Promise.all([startProbe(outside, 'ada'), startProbe(outside, 'bob')]);
});
afterAll(async () => {
  await namespace.remove();
  await outside.remove();
});

/** A proxy in front of the API, like an Ingress controller. */
function startNginx(upstream: string): Promise<void> {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const configuration = `
    pid /tmp/nginx.pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      ${folders.map((name) => `${name}_temp_path /tmp/${name};`).join(' ')}
      server {
        listen 8080;
        location / {
          proxy_pass ${upstream};
          proxy_set_header X-Forwarded-For $remote_addr;
        }
      }
    }`;
  const start =
    'printf %s "$CONFIGURATION" >/tmp/nginx.conf && exec nginx -c /tmp/nginx.conf -g "daemon off;"';
  return startPod(outside, 'nginx', {
    image: 'nginx:1-bookworm',
    command: ['sh', '-c', start],
    env: [{ name: 'CONFIGURATION', value: configuration }],
  });
}

/** Requests that are left for calls from that pod through NGINX, according to the response to one more. */
async function leftTo(pod: string): Promise<number> {
  const host = (await outside.get('pod', 'nginx')).status.podIP ?? '';
  const script = `exec 3<>/dev/tcp/${host}/8080
    printf 'GET /.well-known/jwks.json HTTP/1.0\\r\\nX-Forwarded-For: 192.0.2.1\\r\\n\\r\\n' >&3
    timeout 5 cat <&3`;
  const answer = await outside.exec(pod, ['bash', '-c', script]);
  const [, left] = /^ratelimit:.*"ip";r=(\d+)/im.exec(answer) ?? [];
  if (left === undefined) throw new Error(`No RateLimit in ${answer}`);
  return Number(left);
}

it('gives each client behind NGINX its own limit once NGINX is trusted, and one for all before', async () => {
  expect([await leftTo('ada'), await leftTo('bob')]).toEqual([99, 98]);
  const { status } = await outside.get('pod', 'nginx');
  await release.upgrade({ values: { trustedProxies: [status.podIP] } });
  await namespace.leftAlone('api');
  expect([await leftTo('ada'), await leftTo('ada'), await leftTo('bob')]).toEqual([99, 98, 99]);
});
