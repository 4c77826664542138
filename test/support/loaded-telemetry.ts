const watch =
  "import{registerHooks}from'node:module';registerHooks({resolve(name,context,next){const found=next(name,context);" +
  "if(found.url.includes('/@opentelemetry/'))process.stderr.write('loaded '+name+'\\n');return found}})";

/** Makes a process tell on its standard error what it loads of OpenTelemetry. */
export const tellTelemetryLoads = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watch)}`,
};

/** The packages that such a process has loaded, but for the interfaces, which prom-client loads to look for exemplars. */
export const loadedTelemetry = (logs: string): string[] =>
  [...logs.matchAll(/^loaded (@opentelemetry\/\S+)$/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== '@opentelemetry/api');
