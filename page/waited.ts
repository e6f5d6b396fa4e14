/** Until time has passed, the device has a connection again, or the signal aborts. */
export function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = new AbortController()
    const timer = setTimeout(go, ms)
    addEventListener('online', go, { signal: done.signal })
    signal.addEventListener('abort', go, { signal: done.signal })
    function go(): void {
      clearTimeout(timer)
      done.abort()
      resolve()
    }
  })
}
