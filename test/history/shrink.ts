// Delta debugging (Zeller and Hildebrandt, 2002): the shortest part of a list that still fails, as far as time allows.

/**
 * @param fails runs a part; may be wrong now and then, as runs of real processes are: what failed once is taken for failing.
 * @param mayGoOn asked before each run.
 * @returns a part that failed when it was run; the list itself when none did.
 */
export async function shortest<Item>(
  list: readonly Item[],
  fails: (part: readonly Item[]) => Promise<boolean>,
  mayGoOn: () => boolean,
): Promise<readonly Item[]> {
  let failing = list
  for (let pieces = 2; failing.length > 1 && mayGoOn(); ) {
    const size = Math.ceil(failing.length / pieces)
    let isShorter = false
    for (let from = 0; from < failing.length && mayGoOn(); from += size) {
      const rest = [...failing.slice(0, from), ...failing.slice(from + size)]
      if (!(await fails(rest))) continue
      failing = rest
      pieces = Math.max(2, pieces - 1)
      isShorter = true
      break
    }
    if (isShorter) continue
    if (size === 1) break
    pieces = Math.min(failing.length, pieces * 2)
  }
  return failing
}
