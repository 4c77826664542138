import { nextLink } from './next-link.js';

describe('the link to the next page', () => {
  it('keeps the query as it is, but for the cursor', () => {
    expect(nextLink('/v1/tasks?q=why%3F?&tag=a?b&tag=c&cursor=old', 'new')).toEqual({
      link: '</v1/tasks?q=why%3F%3F&tag=a%3Fb&tag=c&cursor=new>; rel="next"',
    });
  });

  it('asks for the next page of a list without a query', () => {
    expect(nextLink('/v1/tasks', 'new')).toEqual({ link: '</v1/tasks?cursor=new>; rel="next"' });
  });

  it('is absent on the last page', () => {
    expect(nextLink('/v1/tasks?limit=1', undefined)).toEqual({});
  });
});
