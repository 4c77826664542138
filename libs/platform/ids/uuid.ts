/** Ids of this product: UUIDv7 (RFC 9562), made here because Postgres makes them only from version 18 on. */
export { v7 as uuidv7 } from 'uuid';
