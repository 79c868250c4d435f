import { z } from 'zod';

export const method = z.enum(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** The paths of a route. */
export const path = z
  .string()
  .regex(
    /^\/(?:[\w.~!$&'()+,;=@:-]+\/)*(?:[\w.~!$&'()+,;=@:-]+\/?|\*)?$/,
    'give a path such as "/api/items/:id" or "/api/items/*"; a `*` may only be its last segment',
  )
  .describe('segments; `:name` stands for one segment, a last `*` for any number of them');
