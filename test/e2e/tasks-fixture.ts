import { client, type ApiRequest, type ApiResponse, type Session } from '../support/client.js';

export interface TaskBody {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly priority: string;
  readonly due_at: string | null;
  readonly tags: readonly string[];
  readonly completed_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly version: number;
}

export interface PageBody {
  readonly data: readonly TaskBody[];
  readonly next_cursor: string | null;
  readonly has_more: boolean;
}

/** A new user and the calls of that user. */
export interface Caller {
  readonly session: Session;
  call<T = TaskBody>(method: string, path: string, options?: ApiRequest): Promise<ApiResponse<T>>;
  create(body?: Readonly<Record<string, unknown>>): Promise<TaskBody>;
  /** The page for a query; fails unless the status is 200. */
  list(query?: string): Promise<PageBody>;
  close(): void;
}

export async function newCaller(): Promise<Caller> {
  const api = client();
  const session = await api.registerAndLogin();
  const call: Caller['call'] = (method, path, options = {}) =>
    api.request(method, `/v1/tasks${path}`, { token: session.accessToken, ...options });
  const expecting = async <T>(status: number, pending: Promise<ApiResponse<T>>): Promise<T> => {
    const answer = await pending;
    if (answer.status !== status) throw new Error(`${answer.status} ${answer.text}`);
    return answer.body;
  };
  return {
    session,
    call,
    create: (body = {}) => expecting(201, call('POST', '', { body: { title: 'Task', ...body } })),
    list: (query = '') => expecting(200, call<PageBody>('GET', query)),
    close: () => api.close(),
  };
}
