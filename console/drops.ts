// Files that are dropped anywhere in the console.

import { useEffect } from 'preact/hooks'

/** Puts dropped files into the form, wherever they fall. Otherwise the browser would leave the console and open one. */
export function useDrops(): void {
  useEffect(() => {
    const stop = new AbortController()
    const over = (event: DragEvent) => event.preventDefault()
    const drop = (event: DragEvent) => {
      event.preventDefault()
      const input = document.querySelector<HTMLInputElement>('input[name="file"]')
      if (input === null || input.disabled || event.dataTransfer === null || event.dataTransfer.files.length === 0) return
      input.files = event.dataTransfer.files
      input.dispatchEvent(new Event('change', { bubbles: true }))
    }
    addEventListener('dragover', over, { signal: stop.signal })
    addEventListener('drop', drop, { signal: stop.signal })
    return () => stop.abort()
  }, [])
}
