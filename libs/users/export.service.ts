import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '../platform/errors/domain-error.js';
import { exportSources, type ExportSource } from './export.port.js';
import { userSchema } from './users.schemas.js';
import { UsersService } from './users.service.js';

/** Each export reads everything: one of a user at a time. */
export class ExportInProgress extends DomainError {
  constructor() {
    super({
      kind: 'conflict',
      code: 'export_in_progress',
      message: 'An export of yours is under way. Wait until it is done.',
    });
  }
}

/** Writes the export of a user as it reads it: a batch in memory at a time. */
@Injectable()
export class ExportService {
  private readonly underWay = new Set<string>();

  constructor(
    private readonly users: UsersService,
    @Inject(exportSources.token) private readonly sources: readonly ExportSource[],
  ) {}

  /**
   * The export as JSON.
   *
   * @throws ExportInProgress while this process writes another one of the user
   */
  open(userId: string): Readable {
    if (this.underWay.has(userId)) throw new ExportInProgress();
    this.underWay.add(userId);
    const stream = Readable.from(this.write(userId), { objectMode: false });
    // Also when the client goes away before it begins.
    return stream.once('close', () => this.underWay.delete(userId));
  }

  /** The parts of one JSON object. An error on the way breaks the answer off, which then is no JSON. */
  private async *write(userId: string): AsyncGenerator<string> {
    const user = userSchema.parse(await this.users.get(userId));
    yield `{"exported_at":${JSON.stringify(new Date())},"user":${JSON.stringify(user)}`;
    for (const source of this.sources) {
      yield `,${JSON.stringify(source.name)}:`;
      yield* writePart(source.exportOf(userId));
    }
    yield '}';
  }
}

async function* writePart(part: ReturnType<ExportSource['exportOf']>): AsyncGenerator<string> {
  if (part instanceof Promise) {
    yield JSON.stringify(await part);
    return;
  }
  let separator = '[';
  for await (const batch of part) {
    for (const value of batch) {
      yield separator + JSON.stringify(value);
      separator = ',';
    }
  }
  yield separator === '[' ? '[]' : ']';
}
