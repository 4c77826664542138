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
      'Delay of the event loop, over all processes. Each request waits that long several times. Above 100 ms at p99, something computes for too long.',
    unit: units.Seconds,
    width: 6,
    thresholds: [[0.1, 'red']],
    queries: [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, delay), legend: `p${q * 100}` })),
    runbooks: ['event-loop-slow'],
  }),
  graph({
    title: 'Event-loop delay by process (p99)',
    description:
      'The same for each process. One process: it has demanding clients or a slow node. All processes: there are too few, or a new version computes more.',
    unit: units.Seconds,
    width: 6,
    thresholds: [[0.1, 'red']],
    queries: [{ expr: quantile(0.99, delay, 'instance'), legend: each }],
    runbooks: ['event-loop-slow'],
  }),
  graph({
    title: 'Event loop held up',
    description:
      'Share of time in which due work was waiting because the event loop of a process was blocked. The alert uses this value.',
    unit: units.PercentUnit,
    width: 6,
    thresholds: [[0.25, 'red']],
    queries: [{ expr: sum(rate(ofApi('nodejs_eventloop_delay_seconds_sum')), 'instance'), legend: each }],
    runbooks: ['event-loop-slow'],
  }),
  graph({
    title: 'Event-loop utilisation',
    description:
      'Share of time that the event loop was busy. Each process has one event loop; above 80 % requests queue up. More processes help, more CPU for each does not.',
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
      'CPU cores that each process uses. More than 1 is possible, because password hashes and garbage collection have threads of their own.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: sum(rate(ofApi('process_cpu_seconds_total')), 'instance'), legend: each }],
  }),
  graph({
    title: 'CPU in user and system mode',
    description: 'CPU cores over all processes. Much in system mode: many small reads and writes on sockets.',
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
      'Share of time spent on garbage collection, by kind, averaged over the processes. `minor` is normal; `major` above 5 % means that the heap is too small or leaks.',
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
      'Resident memory of each process, which counts against the limit of its container. A rise over days without end: a leak.',
    unit: units.BytesIEC,
    width: 8,
    queries: [{ expr: sum(ofApi('process_resident_memory_bytes'), 'instance'), legend: each }],
    runbooks: ['crash-looping'],
  }),
  graph({
    title: 'Heap used',
    description: 'Heap used by objects in each process. A sawtooth is healthy; its lower ends must not rise.',
    unit: units.BytesIEC,
    width: 8,
    queries: [{ expr: sum(ofApi('nodejs_heap_size_used_bytes'), 'instance'), legend: each }],
  }),
  graph({
    title: 'Heap and buffers',
    description:
      'Over all processes: used heap, reserved heap, and memory outside of the heap, such as response buffers.',
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
      'Used heap over all processes, by space. `new` and `old` vary; growth of `large_object` means very large responses or lists.',
    unit: units.BytesIEC,
    width: 12,
    isStacked: true,
    queries: [{ expr: sum(ofApi('nodejs_heap_space_size_used_bytes'), 'space'), legend: '{{space}}' }],
  }),
  graph({
    title: 'Garbage collections by kind',
    description: 'Collections per second over all processes.',
    unit: units.OpsPerSecond,
    width: 12,
    queries: [{ expr: sum(rate(ofApi('nodejs_gc_duration_seconds_count')), 'kind'), legend: '{{kind}}' }],
  }),
];

const handles = [
  graph({
    title: 'Active handles',
    description:
      'Sockets, timers and similar handles of each process. The number follows the open connections; growth without them is a leak.',
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
    description:
      'Age of each process. A line that falls to zero again and again: the process crashes or is killed.',
    unit: units.Seconds,
    width: 8,
    queries: [{ expr: `time() - ${max(ofApi('process_start_time_seconds'), 'instance')}`, legend: each }],
    runbooks: ['crash-looping'],
  }),
];

export const runtime = board({
  name: 'runtime',
  title: 'Runtime',
  description: 'Node.js: is a process too busy, does it leak memory, does it collect garbage all the time?',
  variables: ['instance'],
  sections: [
    { title: 'Event loop', panels: eventLoop },
    { title: 'CPU', panels: processor },
    { title: 'Memory', panels: memory },
    { title: 'Handles', panels: handles },
  ],
});
