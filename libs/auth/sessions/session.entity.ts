import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A login on one device: the family of all refresh tokens that came of it. */
@Entity({ schema: 'auth', name: 'sessions' })
export class SessionEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_sessions' })
  id!: string;

  @Column({ type: 'uuid', name: 'user_id' })
  userId!: string;

  @Column({ type: 'text', name: 'user_agent', nullable: true })
  userAgent!: string | null;

  @Column('text')
  ip!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  /** When the password was given. */
  @Column({ type: 'timestamptz', name: 'authenticated_at', precision: 3 })
  authenticatedAt!: Date;

  /** Login or last refresh. */
  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3 })
  lastUsedAt!: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt!: Date | null;

  /** The earliest of absolute end, idle end and revocation; Postgres computes it. */
  @Column({ type: 'timestamptz', name: 'ends_at', precision: 3, insert: false, update: false })
  endsAt!: Date;
}
