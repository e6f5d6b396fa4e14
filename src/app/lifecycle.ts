// Stops the parts of a process in the reverse order of their start, also when a start fails halfway.

export interface Lifecycle {
  /**
   * Adds a started part. It is stopped before all parts that were added earlier, so add a part after those that it uses.
   * @param stopTimeoutMs after this time the next part is stopped in any case; no limit by default
   * @throws {Error} if all parts have been stopped already
   */
  add(name: string, stop: () => unknown, stopTimeoutMs?: number): void
  /** Adds a part that its `close` stops. @returns the part */
  keep<Part extends { close(): unknown }>(name: string, part: Part, stopTimeoutMs?: number): Part
  /**
   * Stops each part once, the last one first; further calls do nothing more. If a part fails to stop, the others are still stopped.
   * @throws {AggregateError} with the names of the parts that failed, after all others were stopped
   */
  stop(): Promise<void>
}

interface Part {
  readonly name: string
  readonly stop: () => unknown
  readonly stopTimeoutMs: number | undefined
}

export function createLifecycle(): Lifecycle {
  const parts: Part[] = []
  let stopping: Promise<void> | undefined
  let isOver = false

  async function stopAll(): Promise<void> {
    const failed = new Map<string, unknown>()
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      try {
        await stopOne(part)
      } catch (error) {
        failed.set(part.name, error)
      }
    }
    isOver = true
    if (failed.size > 0) throw new AggregateError(failed.values(), `Could not be stopped: ${[...failed.keys()].join(', ')}.`)
  }

  function add(name: string, stop: () => unknown, stopTimeoutMs?: number): void {
    if (isOver) throw new Error(`${name} was started when everything else had been stopped`)
    parts.push({ name, stop, stopTimeoutMs })
  }

  return {
    add,
    keep(name, part, stopTimeoutMs) {
      add(name, () => part.close(), stopTimeoutMs)
      return part
    },
    stop() {
      stopping ??= stopAll()
      return stopping
    },
  }
}

/**
 * Runs `start`, which adds what it starts to `lifecycle`. If it fails, those parts are stopped and its error is thrown.
 * @param onError receives the errors of parts that could not be stopped
 */
export async function startOrStop<T>(
  lifecycle: Lifecycle,
  start: () => Promise<T>,
  onError: (error: unknown) => void,
): Promise<T> {
  try {
    return await start()
  } catch (error) {
    await lifecycle.stop().catch(({ errors }: AggregateError) => errors.forEach(onError))
    throw error
  }
}

async function stopOne({ stop, stopTimeoutMs }: Part): Promise<void> {
  if (stopTimeoutMs === undefined) {
    await stop()
    return
  }
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, stopTimeoutMs)
  })
  try {
    await Promise.race([stop(), timeUp])
  } finally {
    clearTimeout(timer)
  }
}
