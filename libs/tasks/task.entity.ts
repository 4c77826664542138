import { Column, Entity, PrimaryColumn } from 'typeorm';

export const statuses = ['todo', 'in_progress', 'done', 'cancelled'] as const;
export type Status = (typeof statuses)[number];

/** In ascending order, as they sort. */
export const priorities = ['none', 'low', 'medium', 'high', 'urgent'] as const;
export type Priority = (typeof priorities)[number];

@Entity({ schema: 'tasks', name: 'tasks' })
export class TaskEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_tasks' })
  id!: string;

  @Column({ type: 'uuid', name: 'user_id' })
  userId!: string;

  @Column('text')
  title!: string;

  @Column('text')
  description!: string;

  @Column({ type: 'enum', enum: statuses, enumName: 'task_status' })
  status!: Status;

  @Column({ type: 'enum', enum: priorities, enumName: 'task_priority' })
  priority!: Priority;

  @Column({ type: 'timestamptz', name: 'due_at', precision: 3, nullable: true })
  dueAt!: Date | null;

  @Column({ type: 'text', array: true })
  tags!: string[];

  /** When the status became `done`; null in every other status. */
  @Column({ type: 'timestamptz', name: 'completed_at', precision: 3, nullable: true })
  completedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3 })
  updatedAt!: Date;

  /** When it was put into the trash; null where it is live. */
  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt!: Date | null;

  /** Incremented by each change that a client can see. */
  @Column('int')
  version!: number;

  /** What it is found by, see `searchVector`. */
  @Column('tsvector', { select: false })
  search!: string;

  /** `wordsVersion` of its words; 0: words as Postgres cuts them. */
  @Column({ type: 'smallint', name: 'search_version', select: false })
  searchVersion!: number;

  /**
   * Flipped by each change of title, description or tags that brings `search` itself. Builds of before do neither: where it stays, a
   * trigger computes `search`.
   */
  @Column({ type: 'boolean', name: 'search_turn', select: false })
  searchTurn!: boolean;
}
