/** Shown at a terminal after the start: addresses, and a first call to copy. */
export function welcome(port: number, opsPort: number): string {
  const api = `http://localhost:${port}`;
  return `
  Task Management API   ${api}
  Docs                  ${api}/docs
  Operations            http://localhost:${opsPort}/metrics

  Register a user:
    curl -sS ${api}/v1/auth/register -H 'Content-Type: application/json' \\
      -d '{"email":"ada@example.com","password":"correct horse battery","name":"Ada"}'

  Ctrl-C stops everything; your data stays.

`;
}
