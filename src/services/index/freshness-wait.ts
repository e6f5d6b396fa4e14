// A wait with a timeout that ends early when the replica is fresh again.

export class FreshnessWait {
  isOver = false
  readonly over: Promise<void>
  end = () => {}

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      const timer = setTimeout(() => this.end(), ms)
      this.end = () => {
        clearTimeout(timer)
        this.isOver = true
        resolve()
      }
    })
  }
}
