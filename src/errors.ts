// The one error a user can cause. Anything else that is thrown is our bug.

/**
 * A mistake the user can mend. The message is one line that names the thing, its value and the way out:
 * `No "answer" in example 17 of train.jsonl (fields: question, reply). Set task.output to "reply" or rename the field.`
 */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** The message of anything thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
