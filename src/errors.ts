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

const full: { readonly [code: string]: string } = {
  ENOSPC: "there is no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EFBIG: "a limit on file sizes was reached",
};

/** What a failed write is to be thrown as: a full disk is the user's to mend, all else stays what it is. `rest` says what is not lost. */
export function writeError(error: unknown, path: string, rest = "Make room and run it again."): unknown {
  const reason = error instanceof Error && "code" in error && typeof error.code === "string" ? full[error.code] : undefined;
  return reason === undefined ? error : new UserError(`Cannot write ${path}: ${reason}. ${rest}`, { cause: error });
}
