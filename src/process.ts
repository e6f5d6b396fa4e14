// How every process of Tabir stops: on a signal, or when the supervisor that started it is gone.

/** Runs `stop` once, then ends the process: 0 when it went well. */
export function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false
  const begin = () => {
    if (stopping) return
    stopping = true
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', begin)
  process.once('SIGINT', begin)
  process.once('disconnect', begin)
}
