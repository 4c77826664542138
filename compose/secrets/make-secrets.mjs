// Creates every secret of compose.yaml once and gives each service the secrets that it needs. The originals are in a volume
// that no other service mounts (`originals`). Copies that differ from them are written again: so the volume of a copy may
// be lost, and a secret is changed by changing its original.
//
// All users of the container that mounts a copy can read it: the container runs one service as one user, whose number
// this script need not know. Only names are printed.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const { SECRETS_DIR = '/secrets', POSTGRES_PRIMARY, POSTGRES_REPLICA, REDIS } = process.env;
for (const name of ['POSTGRES_PRIMARY', 'POSTGRES_REPLICA', 'REDIS']) {
  if (!process.env[name]) throw new Error(`${name} is needed: host:port.`);
}
// The caller may have a stricter umask.
process.umask(0o022);
const originals = join(SECRETS_DIR, 'originals');

const made = readCredentials();
const keys = readKeys();
handToServices(made, keys);

/** One file, so that either all of them exist or none. */
function readCredentials() {
  const file = join(originals, 'credentials.json');
  // Hexadecimal, so that they need no escaping in URLs and configuration files.
  const names = [
    'postgresSuperuser',
    'postgres',
    'replication',
    'redis',
    'consistencyToken',
    'rabbitmq',
    'grafana',
  ];
  const known = JSON.parse(read(file) ?? '{}');
  const fresh = names.filter((name) => known[name] === undefined);
  for (const name of fresh) known[name] = randomBytes(32).toString('hex');
  if (fresh.length > 0) write(file, `${JSON.stringify(known, null, 2)}\n`, 0o600);
  return known;
}

/** The keys that sign access tokens, by file name. A second key that is added here is used for signing after five minutes. */
function readKeys() {
  const folder = join(originals, 'keys');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (pems(folder).length === 0) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const kid = `${new Date().toISOString().slice(0, 10)}-${randomBytes(4).toString('hex')}`;
    write(join(folder, `${kid}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  }
  return Object.fromEntries(pems(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

function handToServices(secret, keys) {
  const user = `task_api:${secret.postgres}`;
  hand('api', {
    'api.env': [
      `DATABASE_URL=postgres://${user}@${POSTGRES_PRIMARY}/task_api`,
      `DATABASE_REPLICA_URLS=postgres://${user}@${POSTGRES_REPLICA}/task_api`,
      `REDIS_URL=redis://:${secret.redis}@${REDIS}`,
      `CONSISTENCY_TOKEN_KEY=${secret.consistencyToken}`,
    ],
  });
  hand('api/keys', keys);
  for (const stale of pems(join(SECRETS_DIR, 'api/keys')).filter((name) => !(name in keys))) {
    rmSync(join(SECRETS_DIR, 'api/keys', stale));
  }
  hand('postgres', {
    'superuser-password': [secret.postgresSuperuser],
    'task-api-password': [secret.postgres],
    'replication-password': [secret.replication],
  });
  hand('redis', { 'password.conf': [`requirepass ${secret.redis}`], password: [secret.redis] });
  hand('rabbitmq', { '20-user.conf': ['default_user = task_api', `default_pass = ${secret.rabbitmq}`] });
  hand('grafana', { 'admin-password': [secret.grafana] });
}

/** Files of a service, as text or as lines. */
function hand(service, files) {
  const folder = join(SECRETS_DIR, service);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const [name, content] of Object.entries(files)) {
    const text = Array.isArray(content) ? `${content.join('\n')}\n` : content;
    // Unchanged files are not written: the age of a key's file decides when it is used for signing.
    if (read(join(folder, name)) !== text) write(join(folder, name), text, 0o444);
  }
}

function pems(folder) {
  return readdirSync(folder).filter((name) => name.endsWith('.pem'));
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes to a temporary file and renames it: a file is complete or does not exist, even after a power loss. */
function write(file, text, mode) {
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  const handle = openSync(draft, 'wx', mode);
  writeSync(handle, text);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(draft, file);
  process.stdout.write(`wrote ${file}\n`);
}
