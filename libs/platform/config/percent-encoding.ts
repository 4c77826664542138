/** Whether `decodeURIComponent` takes it: no stray `%`, and what is encoded is UTF-8. */
export function decodes(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
