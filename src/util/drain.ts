// A generator's end, for those who want none of its events.

/** What the generator returns, its yields passed over. Throws what it throws. */
export async function drain<T>(running: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return value as T;
  }
}
