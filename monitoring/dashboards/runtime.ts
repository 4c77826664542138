import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph } from './panels.js';
import { max, ofApi, quantile, rate, sum } from './promql.js';

const each = '{{instance}}';
const delay = ofApi('nodejs_eventloop_delay_seconds_bucket');

const eventLoop = [
  graph({
    title: 'Event-loop delay',
    description:
      'How late the event loop ran what was due, over all processes. Each request waits that long several times: above 100 ms at p99 something computes for too long.',
    unit: units.Seconds,
    width: 6,
    thresholds: [[0.1, 'red']],
    queries: [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, delay), legend: `p${q * 100}` })),
    runbooks: ['event-loop-slow'],
  }),
  graph({
    title: 'Event-loop delay by process (p99)',
    description:
      'The same for each process. One of them: it has the heavy clients or a bad node; all of them: too few processes, or a new version that computes more.',
    unit: units.Seconds,
    width: 6,
    thresholds: [[0.1, 'red']],
    queries: [{ expr: quantile(0.99, delay, 'instance'), legend: each }],
    runbooks: ['event-loop-slow'],
  }),
  graph({
    title: 'Event loop held up',
    description:
      'Share of its time that something was due in the event loop of a process and could not run. The alert looks at this.',
    unit: units.PercentUnit,
    width: 6,
    thresholds: [[0.25, 'red']],
    queries: [{ expr: sum(rate(ofApi('nodejs_eventloop_delay_seconds_sum')), 'instance'), legend: each }],
    runbooks: ['event-loop-slow'],
  }),
  graph({
    title: 'Event-loop utilisation',
    description:
      'Share of the time that the event loop was busy. A process has one: above 80 % requests queue before it. More processes help, more CPU for each does not.',
    unit: units.PercentUnit,
    width: 6,
    max: 1,
    thresholds: [[0.8, 'orange']],
    queries: [{ expr: max(ofApi('nodejs_eventloop_utilization'), 'instance'), legend: each }],
    runbooks: ['event-loop-slow'],
  }),
];

const processor = [
  graph({
    title: 'CPU',
    description:
      'Processors that each process used. More than 1 is possible: password hashes and garbage collection have threads of their own.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: sum(rate(ofApi('process_cpu_seconds_total')), 'instance'), legend: each }],
  }),
  graph({
    title: 'CPU in user and system mode',
    description:
      'Processors over all processes. Much in system mode: many small reads and writes on sockets.',
    unit: units.Short,
    width: 8,
    isStacked: true,
    queries: [
      { expr: sum(rate(ofApi('process_cpu_user_seconds_total'))), legend: 'user' },
      { expr: sum(rate(ofApi('process_cpu_system_seconds_total'))), legend: 'system' },
    ],
  }),
  graph({
    title: 'Garbage collection',
    description:
      'Share of the time spent collecting garbage, by kind, on average over the processes. `minor` is usual; `major` above 5 % means that the heap is too small or leaks.',
    unit: units.PercentUnit,
    width: 8,
    thresholds: [[0.05, 'orange']],
    queries: [
      {
        expr: `${sum(rate(ofApi('nodejs_gc_duration_seconds_sum')), 'kind')} / on () group_left () count(${ofApi('process_start_time_seconds')})`,
        legend: '{{kind}}',
      },
    ],
  }),
];

const memory = [
  graph({
    title: 'Memory (RSS)',
    description:
      'Memory of each process as the system sees it, which the limit of its container counts. It rises for days without end: a leak.',
    unit: units.BytesIEC,
    width: 8,
    queries: [{ expr: sum(ofApi('process_resident_memory_bytes'), 'instance'), legend: each }],
    runbooks: ['crash-looping'],
  }),
  graph({
    title: 'Heap used',
    description: 'Heap that objects take in each process. A saw is healthy; its lower ends must not rise.',
    unit: units.BytesIEC,
    width: 8,
    queries: [{ expr: sum(ofApi('nodejs_heap_size_used_bytes'), 'instance'), legend: each }],
  }),
  graph({
    title: 'Heap and buffers',
    description:
      'Over all processes: heap that is used, heap that is reserved, and memory outside of it, such as buffers of answers.',
    unit: units.BytesIEC,
    width: 8,
    queries: [
      { expr: sum(ofApi('nodejs_heap_size_used_bytes')), legend: 'heap used' },
      { expr: sum(ofApi('nodejs_heap_size_total_bytes')), legend: 'heap reserved' },
      { expr: sum(ofApi('nodejs_external_memory_bytes')), legend: 'external' },
    ],
  }),
  graph({
    title: 'Heap spaces',
    description:
      'Heap used over all processes by its spaces. `new` and `old` move; growth of `large_object` means very large answers or lists.',
    unit: units.BytesIEC,
    width: 12,
    isStacked: true,
    queries: [{ expr: sum(ofApi('nodejs_heap_space_size_used_bytes'), 'space'), legend: '{{space}}' }],
  }),
  graph({
    title: 'Garbage collections by kind',
    description: 'Collections a second over all processes.',
    unit: units.OpsPerSecond,
    width: 12,
    queries: [{ expr: sum(rate(ofApi('nodejs_gc_duration_seconds_count')), 'kind'), legend: '{{kind}}' }],
  }),
];

const handles = [
  graph({
    title: 'Active handles',
    description:
      'Sockets, timers and the like that each process holds. It follows the open connections; growth without them is a leak.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: sum(ofApi('nodejs_active_handles_total'), 'instance'), legend: each }],
  }),
  graph({
    title: 'Open file descriptors',
    description: 'Files and sockets that each process has open.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: sum(ofApi('process_open_fds'), 'instance'), legend: each }],
  }),
  graph({
    title: 'Up since',
    description: 'Age of each process. A line that falls to zero again and again: it crashes or is killed.',
    unit: units.Seconds,
    width: 8,
    queries: [{ expr: `time() - ${max(ofApi('process_start_time_seconds'), 'instance')}`, legend: each }],
    runbooks: ['crash-looping'],
  }),
];

export const runtime = board({
  name: 'runtime',
  title: 'Runtime',
  description: 'Node itself: is a process too busy, does it leak, does it collect garbage all the time?',
  variables: ['instance'],
  sections: [
    { title: 'Event loop', panels: eventLoop },
    { title: 'CPU', panels: processor },
    { title: 'Memory', panels: memory },
    { title: 'Handles', panels: handles },
  ],
});
