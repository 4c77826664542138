import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role, Tier } from '../auth/access/roles.port.js';

/** What the users feature owns of a person; e-mail and password are auth's. */
@Entity({ schema: 'users', name: 'profiles' })
export class ProfileEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_profiles' })
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  timezone!: string;

  @Column('text')
  locale!: string;

  @Column('text')
  role!: Role;

  @Column('text')
  tier!: Tier;

  @Column('integer')
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3 })
  updatedAt!: Date;
}
