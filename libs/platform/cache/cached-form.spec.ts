import { z } from 'zod';
import { instantOut } from '../schemas/fields.js';
import { serializedForm, valueForm } from './cached-form.js';
import { Serialized } from './serialized.js';

const schema = z.strictObject({ name: z.string(), at: instantOut().nullable() });

describe('a cached value', () => {
  it('is the same after it was stored, dates included', () => {
    const form = valueForm(schema);
    const value = { name: 'Ada', at: new Date('2026-11-28T12:00:00.123Z') };
    expect(form.decode(form.encode(value))).toEqual(value);
    expect(form.decode(form.encode({ name: 'Bob', at: null }))).toEqual({ name: 'Bob', at: null });
  });

  it('is refused where it is not of its schema', () => {
    expect(() => valueForm(schema).decode('{"name":1,"at":null}')).toThrow();
  });
});

describe('a cached answer', () => {
  const form = serializedForm(schema);
  const answer = Serialized.of(schema, { name: 'Ä\n', at: new Date(0) }, { next_cursor: 'abc' });

  it('is the same after it was stored, byte for byte', () => {
    const restored = form.decode(form.encode(answer));
    expect(restored.json).toBe(answer.json);
    expect(restored.hash).toBe(answer.hash);
    expect(restored.attributes).toEqual({ next_cursor: 'abc' });
  });

  it('holds nothing that its schema does not declare', () => {
    expect(() => Serialized.of(schema, { name: 'Ada', at: null, secret: 1 } as never)).toThrow();
  });
});

describe('the shape of cached values', () => {
  const shapeOf = (changed: z.ZodType) => serializedForm(changed).shape;

  it('is the same for the same schema, in every process', () => {
    const same = z.strictObject({ name: z.string(), at: instantOut().nullable() });
    expect(shapeOf(same)).toBe(shapeOf(schema));
    expect(valueForm(same).shape).toBe(valueForm(schema).shape);
  });

  it('is another one after any change of the schema', () => {
    const others = [
      z.strictObject({ name: z.string() }),
      z.strictObject({ name: z.string().nullable(), at: instantOut().nullable() }),
      z.strictObject({ name: z.string(), at: instantOut() }),
      z.strictObject({ name: z.string(), at: instantOut().nullable(), tags: z.array(z.string()) }),
    ];
    const shapes = [schema, ...others].map(shapeOf);
    expect(new Set(shapes).size).toBe(shapes.length);
  });
});
