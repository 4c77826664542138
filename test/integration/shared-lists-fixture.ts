import { features } from '../../apps/features.js';
import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { CallContext } from '../../libs/platform/context/call-context.js';
import { openDataPath, type DataPath, type DataPathParts } from '../../libs/platform/data-path.js';
import { persistenceOf } from '../../libs/platform/features/persistence-of.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { ItemsService } from '../consistency/lists/items.service.js';
import { ListReadsService } from '../consistency/lists/list-reads.service.js';
import { MembershipsService } from '../consistency/lists/memberships.service.js';
import { itemPlaces, listViews, memberships } from '../consistency/lists/shared-lists.caches.js';
import { sharedListsFeature } from '../consistency/lists/shared-lists.feature.js';
import { sharedLists } from '../consistency/lists/shared-lists.names.js';
import { allRules, type Rules } from '../consistency/lists/shared-lists.rules.js';
import type { List } from '../consistency/lists/shared-lists.schemas.js';
import { viewOfUser, type Beginning } from '../support/user-view.js';
import { waitFor } from '../support/wait.js';

export interface ListServices {
  readonly memberships: MembershipsService;
  readonly items: ItemsService;
  readonly reads: ListReadsService;
}

/** What a process has of the shared lists: its own connections, caches and knowledge, without HTTP. */
export interface ListsProcess {
  /** Runs a call of the user, as an adapter does. Some rules may be broken for it. */
  as<T>(
    userId: string,
    work: (services: ListServices) => Promise<T>,
    rules?: Partial<Rules>,
    beginning?: Beginning,
  ): Promise<T>;
  /** Whether it uses caches and replicas now. */
  isTrusting(): boolean;
  /** Reads that replicas served so far. */
  replicaReads(): Promise<number>;
  close(): Promise<void>;
}

/** Opens it and waits until it uses caches and replicas. */
export async function openListsProcess(
  environment: Readonly<Record<string, string>>,
  parts: Partial<DataPathParts> = {},
): Promise<ListsProcess> {
  const metrics = new Metrics();
  const settings = { NODE_ENV: 'test', MIGRATE_ON_START: 'true', REDIS_TIMEOUT_MS: '2000', ...environment };
  const path = await openDataPath({
    config: parseEnvironment(settings, platformVariables),
    features: persistenceOf([...features, sharedListsFeature(allRules)]),
    applicationName: 'lists-test',
    role: 'service',
    metrics,
    startEmbedded: () => Promise.reject(new Error('The tests have their own server.')),
    stop: new AbortController().signal,
    parts,
  });
  await waitFor(() => path.consistency.isTrusted(), { what: 'trust in the caches' });
  return {
    as: async (userId, work, rules, beginning) => {
      const call = new CallContext();
      call.view = await viewOfUser(path, userId, beginning);
      return call.run(() => work(servicesOf(path, { ...allRules, ...rules })));
    },
    isTrusting: () => path.consistency.isTrusted(),
    replicaReads: async () => {
      const line = /^db_reads_total\{db_target="replica"\} (\d+)/m.exec(await metrics.registry.metrics());
      return Number(line?.[1] ?? 0);
    },
    close: () => path.close(),
  };
}

function servicesOf(path: DataPath, rules: Rules): ListServices {
  const database = path.databases.forFeature(sharedLists);
  const members = new MembershipsService(database, memberships.open(path.caches), rules);
  const [views, places] = [listViews.open(path.caches), itemPlaces.open(path.caches)];
  return {
    memberships: members,
    items: new ItemsService(database, rules),
    reads: new ListReadsService(database, members, views, places, rules),
  };
}

/** The list as a client gets it. */
export const readList = async ({ reads }: ListServices, userId: string, listId: string): Promise<List> =>
  JSON.parse((await reads.list(userId, listId)).json) as List;
