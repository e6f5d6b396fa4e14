/** An error whose reason is one of a fixed list. Its message is that reason, so it holds nothing of a request or an answer. */
export abstract class FailureError<Failure extends string> extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure)
    this.name = new.target.name
    this.failure = failure
  }
}
