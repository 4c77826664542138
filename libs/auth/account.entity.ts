import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Who may log in. Name and time zone are as given at registration; the users feature owns them from then on. */
@Entity({ schema: 'auth', name: 'accounts' })
export class AccountEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_accounts' })
  id!: string;

  /** In lower case. */
  @Column('text')
  email!: string;

  @Column({ type: 'timestamptz', name: 'email_verified_at', precision: 3, nullable: true })
  emailVerifiedAt!: Date | null;

  /** argon2id in PHC format. */
  @Column({ type: 'text', name: 'password_hash' })
  passwordHash!: string;

  @Column({ type: 'text', name: 'registration_name' })
  registrationName!: string;

  @Column({ type: 'text', name: 'registration_timezone' })
  registrationTimezone!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;
}
