// Parts of a process that are stopped in the reverse of the order in which they were started, also when a start fails half way.

export interface Lifecycle {
  /**
   * Adds a part that has been started. It is stopped before all parts that were added earlier, so add a part after those that it uses.
   *
   * @param stopTimeoutMs the next part is stopped after so long, whatever becomes of this one; without a limit when left out.
   * @throws {Error} when all parts have been stopped already.
   */
  add(name: string, stop: () => unknown, stopTimeoutMs?: number): void
  /** Adds a part that is stopped by its `close`. @returns the part. */
  keep<Part extends { close(): unknown }>(name: string, part: Part, stopTimeoutMs?: number): Part
  /**
   * Stops each part once, the last one first, however often this is called. A part that fails to stop does not keep others from stopping.
   *
   * @throws {AggregateError} when all others have been stopped, naming the parts that failed.
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
 * Runs `start`, which adds to `lifecycle` what it starts. When it fails, all of that is stopped before its error is thrown.
 *
 * @param onError is given the errors of parts that could not be stopped then.
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
