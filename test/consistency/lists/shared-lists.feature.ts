import { defineFeature } from '../../../libs/platform/features/define-feature.js';
import { CreateSharedLists1764000000000 } from './create-shared-lists.migration.js';
import { ItemsController } from './items.controller.js';
import { ItemsService } from './items.service.js';
import { ListReadsService } from './list-reads.service.js';
import { ListsController } from './lists.controller.js';
import { MembershipsService } from './memberships.service.js';
import { itemPlaces, listViews, memberships } from './shared-lists.caches.js';
import { sharedLists } from './shared-lists.names.js';
import { rulesToken, type Rules } from './shared-lists.rules.js';

/** Lists that many users share: the smallest feature with shared scopes. It exists for tests alone. */
export const sharedListsFeature = (rules: Rules) =>
  defineFeature({
    name: sharedLists,
    migrations: [CreateSharedLists1764000000000],
    caches: [listViews, memberships, itemPlaces],
    controllers: [ListsController, ItemsController],
    providers: [{ provide: rulesToken, useValue: rules }, MembershipsService, ItemsService, ListReadsService],
  });
