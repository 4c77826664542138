import {
  Controller,
  Get,
  Header,
  Query,
  UseInterceptors,
  type INestApplicationContext,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { fastify } from 'fastify';
import { z } from 'zod';
import { addEndpoints } from './endpoints.js';
import { Returns, Summary } from './endpoint.js';
import type { ResponseHeaders } from './response-headers.js';

const bodySchema = z.strictObject({ n: z.number() });
const headers = { of: () => [] as string[] } as unknown as ResponseHeaders;

/** A server with one controller, as Nest's container would have it. */
async function serverOf(controller: new () => object) {
  const instance = new controller();
  const container = new Map([['module', { controllers: new Map([['c', { metatype: controller }]]) }]]);
  const app = {
    get: (token: unknown) => (token === ModulesContainer ? container : instance),
  } as unknown as INestApplicationContext;
  const server = fastify();
  server.decorateRequest('call', null);
  addEndpoints(server, { app, guards: [], headers, handlerTimeoutMs: 1000 });
  await server.ready();
  return server;
}

@Controller('/things')
class Things {
  parsed = 0;

  @Get()
  @Summary('List')
  @Returns(200, bodySchema)
  @Header('Cache-Control', 'no-store')
  list(@Query({ schema: z.strictObject({ n: z.string().transform(Number) }) }) query: { n: number }) {
    return { n: query.n };
  }
}

describe('an endpoint', () => {
  it('answers by its schemas and with its declared headers', async () => {
    const server = await serverOf(Things);
    const answer = await server.inject('/things?n=4');
    expect([answer.statusCode, answer.body]).toEqual([200, '{"n":4}']);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'content-length': '7',
    });
  });

  it('gives handlers a query that they can not change for others', async () => {
    const seen: object[] = [];
    @Controller('/seen')
    class Seen {
      @Get()
      @Summary('List')
      @Returns(200, bodySchema)
      list(@Query({ schema: z.object({ n: z.string().optional() }) }) query: object) {
        seen.push(query);
        return { n: 1 };
      }
    }
    const server = await serverOf(Seen);
    await server.inject('/seen?n=1');
    await server.inject('/seen?n=1');
    await server.inject('/seen?n=2');
    expect(seen[0]).toBe(seen[1]);
    expect(seen[2]).toEqual({ n: '2' });
    expect(() => Object.assign(seen[0] ?? {}, { n: 'other' })).toThrow(TypeError);
  });

  it('is refused at the start where it relies on what only the router of Nest has', async () => {
    @Controller('/other')
    class Other {
      @Get()
      @Summary('List')
      @Returns(200, bodySchema)
      @UseInterceptors({ intercept: (_: unknown, next: { handle(): never }) => next.handle() } as never)
      list() {
        return { n: 1 };
      }
    }
    await expect(serverOf(Other)).rejects.toThrow('no place for @UseInterceptors');
  });

  it('is refused at the start without a declared answer', async () => {
    @Controller('/other')
    class Other {
      @Get()
      list() {
        return { n: 1 };
      }
    }
    await expect(serverOf(Other)).rejects.toThrow('Other.list needs @Summary');
  });
});
