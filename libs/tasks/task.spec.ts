import { created, newTask, patched, restored, trashed, view } from './task.js';
import { createTaskSchema, patchTaskSchema, taskDefaults, type NewTask } from './tasks.schemas.js';

const made = new Date('2026-05-01T12:00:00.000Z');
const later = new Date('2026-05-01T13:00:00.000Z');
const task = created(newTask('owner', createTaskSchema.parse({ title: 'Task', tags: ['a'] })), made);

/** A value of each field that is not its default. */
const values: NewTask = {
  title: 'Other',
  description: 'With words',
  status: 'in_progress',
  priority: 'high',
  due_at: later,
  tags: ['b', 'c'],
};

describe('each field that a client may write', () => {
  it('is there in a new task', () => {
    expect(view(created(newTask('owner', values), made))).toMatchObject(values);
  });

  it('is one of a new task, and of a patch too', () => {
    const fields = Object.keys(values);
    expect([Object.keys(createTaskSchema.shape), Object.keys(patchTaskSchema.shape)]).toEqual([
      fields,
      fields,
    ]);
    expect(['title', ...Object.keys(taskDefaults)]).toEqual(fields);
  });

  it.each(Object.keys(patchTaskSchema.shape) as (keyof NewTask)[])('is changed by a patch: %s', (field) => {
    const changed = patched(task, { [field]: values[field] }, later);
    expect(view(changed)).toEqual({
      ...view(task),
      ...{ [field]: values[field], version: 2, updated_at: later },
    });
  });

  it.each(Object.entries(taskDefaults))('is put back to its default by null: %s', (field, value) => {
    const changed = created(newTask('owner', values), made);
    expect(view(patched(changed, { [field]: null }, later))).toMatchObject({ [field]: value, version: 2 });
  });
});

describe('a task', () => {
  it('is the very same after a patch that says nothing new', () => {
    expect(patched(task, { title: 'Task', tags: ['a'], description: null }, later)).toBe(task);
  });

  it('has one version more after a change, and the old one is left as it was', () => {
    const next = patched(task, { tags: ['b'] }, later);
    expect([next.version, next.updatedAt, next.tags]).toEqual([2, later, ['b']]);
    expect([task.version, task.updatedAt, task.tags]).toEqual([1, made, ['a']]);
  });

  it('never looks older after a change, though the clock of the database went back', () => {
    const next = patched(task, { title: 'Next' }, later);
    const done = patched(next, { status: 'done' }, made);
    expect([done.updatedAt, done.completedAt]).toEqual([later, later]);
    const gone = trashed({ ...task, completedAt: later }, made);
    expect(gone.deletedAt).toEqual(later);
    expect(restored(gone, made).updatedAt).toEqual(later);
  });

  it('is completed when it was created, where it is done from the beginning', () => {
    expect(created(newTask('owner', { ...values, status: 'done' }), made)).toMatchObject({
      ...{ completedAt: made, createdAt: made, updatedAt: made },
    });
  });

  it('is completed exactly while it is done', () => {
    const done = patched(task, { status: 'done' }, later);
    expect(done.completedAt).toEqual(later);
    expect(patched(done, { title: 'Still' }, made).completedAt).toEqual(later);
    expect(patched(done, { status: null }, later)).toMatchObject({ status: 'todo', completedAt: null });
  });

  it('keeps its version in the trash, so that the ETag from before restores it', () => {
    const gone = trashed(task, later);
    expect([gone.version, gone.deletedAt]).toEqual([1, later]);
    expect(restored(gone, later)).toMatchObject({ version: 2, deletedAt: null, updatedAt: later });
  });
});
