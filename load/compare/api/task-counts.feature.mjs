import { featureName } from '../../../dist/libs/platform/context/feature-name.js';
import { OnEvent } from '../../../dist/libs/platform/events/on-event.js';
import { defineFeature } from '../../../dist/libs/platform/features/define-feature.js';
import { taskCreated, taskUpdated } from '../../../dist/libs/tasks/tasks.events.js';

/**
 * Consumes the events of created and updated tasks, which no feature of the product does: without a consumer they would not
 * be written, and writes would look cheaper than those of a product that uses them.
 */
class TaskCounts {
  async created() {}

  async updated() {}
}

// By hand: this file is not compiled, so it can't use the decorator's syntax.
for (const [method, event] of [
  ['created', taskCreated],
  ['updated', taskUpdated],
])
  OnEvent(event, method)(TaskCounts.prototype, method, {});

/** As the inboxes of the product. */
class CreateInbox1764000000000 {
  async up(runner) {
    await runner.query(`
      CREATE TABLE task_counts.inbox (
        LIKE tasks.inbox INCLUDING DEFAULTS,
        CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
      );
      CREATE INDEX idx_inbox_available_at ON task_counts.inbox (consumer, available_at) WHERE done_at IS NULL;
      CREATE INDEX idx_inbox_done_at ON task_counts.inbox (done_at) WHERE done_at IS NOT NULL;
      CREATE INDEX idx_inbox_failed_at ON task_counts.inbox (failed_at) WHERE failed_at IS NOT NULL`);
  }

  async down(runner) {
    await runner.query('DROP TABLE task_counts.inbox');
  }
}

export const taskCountsFeature = defineFeature({
  name: featureName('task_counts'),
  migrations: [CreateInbox1764000000000],
  consumers: [TaskCounts],
});
