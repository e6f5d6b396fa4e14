/** An error with a reason from a fixed list. Its message is that reason, so it contains nothing of a request or an answer. */
export abstract class FailureError<Failure extends string> extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure)
    this.name = new.target.name
    this.failure = failure
  }
}
