/** The configuration of the process, for injection: `@Inject(CONFIG) config: HttpConfig`. Each user names the part that it reads. */
export const CONFIG = Symbol('CONFIG');
