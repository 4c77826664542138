import { Inject, Injectable } from '@nestjs/common';
import { exportSources, type ExportSource } from './export.port.js';
import { userSchema } from './users.schemas.js';
import { UsersService } from './users.service.js';

/** Writes the export of a user as it reads it: a batch in memory at a time. */
@Injectable()
export class ExportService {
  constructor(
    private readonly users: UsersService,
    @Inject(exportSources.token) private readonly sources: readonly ExportSource[],
  ) {}

  /** The parts of one JSON object. An error on the way breaks the answer off, which then is no JSON. */
  async *write(userId: string): AsyncGenerator<string> {
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
