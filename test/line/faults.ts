// What a line or a proxy can do to one request and its answer.

/** In words, as they stand in the name of a case. */
export const FAULTS = [
  /** The connection ends before the server has seen the request. */
  'request dropped',
  /** The server did it; the connection ends before the answer. */
  'answer dropped',
  /** The answer breaks off in the middle of its body. */
  'answer cut',
  /** Both take some hundred milliseconds. */
  'slow',
  /** The answer comes when nobody waits for it any more. */
  'answer late',
  /** The server sees the request when it has been given up, and repeated. */
  'request late',
  /** Sent a second time once the first was answered; the second answer counts. */
  'sent twice',
  /** Sent two times at once; the later answer counts. */
  'sent twice at once',
  '403 of a proxy',
  '408 of a proxy',
  '429 of a proxy',
  '502 of a proxy',
  '503 of a proxy',
  /** A page that asks to sign in to a network, with status 200. */
  '200 of a proxy',
  '204 of a proxy',
  /** The same after the server did it. */
  '502 after the server did it',
  '200 of a proxy after the server did it',
] as const
export type Fault = (typeof FAULTS)[number]

/** What a proxy answers in place of the server, and whether the server did it. */
export function replacementIn(fault: Fault): { readonly status: number; readonly isDone: boolean } | undefined {
  const status = Number(/^\d{3}/.exec(fault)?.[0])
  return status > 0 ? { status, isDone: fault.includes('after') } : undefined
}
