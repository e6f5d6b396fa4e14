// The signals that end the supervisor.

import type { EventEmitter } from 'node:events'

export interface StopSignalOptions {
  /** Emits 'SIGTERM', 'SIGINT' and 'SIGHUP'; `process` in production. */
  readonly signals: EventEmitter
  /** Whether a SIGHUP came because the terminal was closed. */
  readonly isTerminalClosed: () => boolean
  /** npm forwards a Ctrl-C that the terminal already sent us. A signal within this time counts as the same one. */
  readonly sameSignalMs: number
  readonly now: () => number
}

export function createStopSignals({ signals, isTerminalClosed, sameSignalMs, now }: StopSignalOptions) {
  let firstAtMs: number | undefined
  let resolveFirst = () => {}
  let resolveSecond = () => {}
  const first = new Promise<void>((resolve) => {
    resolveFirst = resolve
  })
  const second = new Promise<undefined>((resolve) => {
    resolveSecond = () => resolve(undefined)
  })
  const onSignal = () => {
    if (firstAtMs === undefined) {
      firstAtMs = now()
      resolveFirst()
    } else if (now() - firstAtMs >= sameSignalMs) {
      resolveSecond()
    }
  }
  let reload = () => {}
  const handlers = { SIGTERM: onSignal, SIGINT: onSignal, SIGHUP: () => (isTerminalClosed() ? onSignal() : reload()) }
  for (const [name, handler] of Object.entries(handlers)) signals.on(name, handler)
  return {
    first,
    second,
    wasSent: () => firstAtMs !== undefined,
    onReload(listener: () => void) {
      reload = listener
    },
    ignore() {
      for (const [name, handler] of Object.entries(handlers)) signals.off(name, handler)
    },
  }
}
