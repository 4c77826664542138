/** Of `node:http`: each is a getter that loads Node's client for HTTP and WebSockets. */
const names = ['WebSocket', 'CloseEvent', 'MessageEvent'];

/**
 * An `import` of `node:http` reads each of its exports, and so loads Node's client for WebSockets, which nothing here uses: 13 MiB
 * and 40 ms. Exports that are not enumerable are left out; `require` still finds them. To be called before the first module is
 * loaded that imports `node:http`.
 */
export function hideWebSockets(): void {
  const http = process.getBuiltinModule('node:http');
  for (const name of names) {
    if (Object.getOwnPropertyDescriptor(http, name)?.configurable === true)
      Object.defineProperty(http, name, { enumerable: false });
  }
}
