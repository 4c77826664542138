const watch =
  "import{registerHooks}from'node:module';registerHooks({resolve(name,context,next){const found=next(name,context);" +
  "if(found.url.includes('/@opentelemetry/'))process.stderr.write('loaded '+name+'\\n');return found}})";

/** Makes a process print to stderr which OpenTelemetry packages it loads. */
export const tellTelemetryLoads = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watch)}`,
};

/** The OpenTelemetry packages that such a process loaded, except the API package, which prom-client loads for exemplars. */
export const loadedTelemetry = (logs: string): string[] =>
  [...logs.matchAll(/^loaded (@opentelemetry\/\S+)$/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== '@opentelemetry/api');
