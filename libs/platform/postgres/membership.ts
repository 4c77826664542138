import { logger } from '../logging/logger.js';
import { databaseOf, timelineOf } from '../positions/position.js';
import { hasMembers, isInForce, membersOf } from './commit-rule.js';
import type { PostgresServer } from './postgres-server.js';
import type { CommitRule, Members, ServerState } from './server-state.js';

const heartbeatMs = 300;
const maxChanges = 5;
/** How long another process may take to count a standby that this one has not in its list. */
const unknownMs = 5000;

const changeSql = `
  WITH changed AS (
    INSERT INTO platform.commit_rule AS known (number, standby_names, timeline, primary_name, waits_for)
    VALUES (1, $2, $3, $4, $5)
    ON CONFLICT ON CONSTRAINT pk_commit_rule DO UPDATE
      SET number = known.number + 1, standby_names = excluded.standby_names, timeline = excluded.timeline,
        primary_name = excluded.primary_name, waits_for = excluded.waits_for
      WHERE known.number = $1 AND known.timeline = $8 AND known.waits_for = $9::text[]
    RETURNING 1),
  gone AS (
    DELETE FROM platform.members WHERE cluster_name <> ALL ($6::text[]) AND EXISTS (SELECT FROM changed))
  INSERT INTO platform.members AS known (cluster_name, timeline)
  SELECT * FROM unnest($6::text[], $7::int[]) WHERE EXISTS (SELECT FROM changed)
  ON CONFLICT ON CONSTRAINT pk_members DO UPDATE SET timeline = excluded.timeline`;

const enforceSql = `UPDATE platform.commit_rule SET waits_for = '{}' WHERE number = $1 AND timeline = $2`;

const admitSql = `UPDATE platform.members SET timeline = $2 WHERE cluster_name = ANY ($1::text[])`;

/** The second one of a timeline shows that the first one was confirmed. One that waits for its standbys has locked the row. */
const heartbeatSql = `
  UPDATE platform.heartbeat
  SET beat_at = clock_timestamp(), timeline = $1,
    confirmed_at = CASE timeline WHEN $1 THEN coalesce(confirmed_at, clock_timestamp()) END
  WHERE is_only = (
    SELECT is_only FROM platform.heartbeat
    WHERE timeline <> $1 OR beat_at NOT BETWEEN clock_timestamp() - interval '250 ms' AND clock_timestamp()
    FOR UPDATE SKIP LOCKED)`;

/**
 * Keeps `platform.commit_rule` and `platform.members` as the settings of the primary are, and its heartbeat going. All processes do
 * that; each change is made by the first one.
 */
export class Membership {
  private unknownSince: number | null = null;
  private isReportedFailing = false;

  constructor(
    private readonly servers: readonly PostgresServer[],
    private readonly isPromotionAutomatic: boolean,
  ) {}

  /** To be called after each answer of a server. Returns whether the state of the primary may have changed by what was due. */
  async keep(primary: PostgresServer): Promise<boolean> {
    try {
      const isChanged = await this.change(primary);
      const isFirst = await this.beat(primary);
      this.isReportedFailing = false;
      return isChanged || isFirst;
    } catch (error) {
      if (!this.isReportedFailing)
        logger.warn(
          { err: error, server: primary.name },
          'which standbys confirm commits could not be recorded',
        );
      this.isReportedFailing = true;
      return false;
    }
  }

  /** See `PostgresServers.forgetStandbys`. */
  async forget(primary: PostgresServer): Promise<boolean> {
    await this.keep(primary);
    const { rule = null } = primary.state ?? {};
    if (rule === null || rule.waitsFor.length === 0) return false;
    // Without waiting for standbys: there may be none.
    await primary.writeOn(enforceSql, [rule.number, rule.timeline]);
    return true;
  }

  /** After a promotion several changes follow each other, and calls wait for them. */
  private async change(primary: PostgresServer): Promise<boolean> {
    for (let changes = 0; ; changes++) {
      const { state } = primary;
      const change = state === null ? null : this.changeOf(state, performance.now());
      if (changes === maxChanges || change === null || !(await primary.control.run(...change)))
        return changes > 0;
      await primary.ask();
      const waitsFor = primary.state?.rule?.waitsFor ?? [];
      await Promise.all(
        this.servers
          .filter((server) => server !== primary && waitsFor.includes(server.memberName))
          .map((server) => server.ask()),
      );
    }
  }

  /** Returns whether it was the first one of the timeline, which calls wait for. */
  private async beat(primary: PostgresServer): Promise<boolean> {
    const { state } = primary;
    if (state === null || !hasMembers(state) || !isInForce(state)) return false;
    const timeline = timelineOf(state.position);
    const { heartbeat } = state;
    const isNew = heartbeat?.timeline !== timeline || heartbeat.isSinceStart === false;
    const ageMs = (heartbeat?.ageMs ?? 0) + performance.now() - state.askedAt;
    if (!isNew && ageMs >= 0 && ageMs < heartbeatMs) return false;
    const isRun = await primary.control.run(heartbeatSql, [timeline]);
    if (isRun && isNew) await primary.ask();
    return isRun && isNew;
  }

  private changeOf(state: ServerState, now: number): readonly [string, readonly unknown[]] | null {
    const { rule } = state;
    const wanted = this.wantedMembers(state, now);
    if (wanted !== null && isDue(state, wanted)) return [changeSql, this.changeValues(state, wanted)];
    if (rule === null) return null;
    if (rule.waitsFor.length > 0)
      return this.isShown(state, rule) ? [enforceSql, [rule.number, rule.timeline]] : null;
    if (!hasMembers(state) || !isInForce(state)) return null;
    const timeline = timelineOf(state.position);
    const admitted = Object.keys(state.members).filter(
      (name) => state.members[name] !== timeline && this.isReceiving(name, state),
    );
    return admitted.length > 0 ? [admitSql, [admitted, timeline]] : null;
  }

  /** Null: it can't be told yet. Empty: those that confirm can't be counted. */
  private wantedMembers(state: ServerState, now: number): Members | null {
    const names = membersOf(state.standbyNames, state.name);
    if (names === null) return {};
    const timeline = timelineOf(state.position);
    const found = names.map((name): [string, number] => {
      const isSeen = name === state.name || this.isReceiving(name, state);
      return [name, isSeen ? timeline : (state.members[name] ?? 0)];
    });
    // At first each of them must be seen: the role may lack the right to see them, or a name may be no one's.
    if (!hasMembers(state))
      return found.every(([, seenOn]) => seenOn === timeline) ? Object.fromEntries(found) : {};
    if (found.every(([name]) => name in state.members || this.isListed(name))) {
      this.unknownSince = null;
      return Object.fromEntries(found);
    }
    this.unknownSince ??= now;
    return now - this.unknownSince < unknownMs ? null : {};
  }

  private changeValues(state: ServerState, wanted: Members): readonly unknown[] {
    const { rule, name, position, standbyNames } = state;
    const values = [rule?.number ?? 0, standbyNames, timelineOf(position), name, this.waitsFor(state)];
    const before = [rule?.timeline ?? 0, rule?.waitsFor ?? []];
    return [...values, Object.keys(wanted), Object.values(wanted), ...before];
  }

  /** The members of the last rule that counted, without the primary: it shows each rule that it writes. */
  private waitsFor({ rule, members, name, position }: ServerState): readonly string[] {
    if (rule === null) return [];
    const before = rule.waitsFor.length > 0 ? rule.waitsFor : Object.keys(members);
    const isPromoted = rule.timeline !== timelineOf(position);
    // Where people promote, they have stopped the primary of before.
    const stopped = isPromoted && !this.isPromotionAutomatic ? rule.primary : name;
    return before.filter((each) => each !== name && each !== stopped);
  }

  private isShown({ position }: ServerState, rule: CommitRule): boolean {
    return this.servers.some(
      ({ state }) =>
        state?.isStandby === true &&
        databaseOf(state.position) === databaseOf(position) &&
        rule.waitsFor.includes(state.name) &&
        state.rule?.number === rule.number &&
        state.rule.timeline === rule.timeline,
    );
  }

  private isReceiving(name: string, primary: ServerState): boolean {
    return this.servers.some(
      ({ state, isShared }) =>
        !isShared &&
        state?.isStandby === true &&
        state.name === name &&
        state.receives === timelineOf(primary.position) &&
        databaseOf(state.position) === databaseOf(primary.position),
    );
  }

  private isListed(name: string): boolean {
    return this.servers.some(({ memberName, isShared }) => memberName === name && !isShared);
  }
}

/** The rule is for other settings, another timeline or another primary, or there are members now and there were none. */
function isDue({ rule, standbyNames, position, name, members }: ServerState, wanted: Members): boolean {
  if (rule === null || rule.standbyNames !== standbyNames) return true;
  if (rule.timeline !== timelineOf(position) || rule.primary !== name) return true;
  return Object.keys(wanted).sort().join() !== Object.keys(members).sort().join();
}
