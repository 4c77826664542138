import { build, ensureInstalled } from './bootstrap.mjs';

ensureInstalled();
build();
