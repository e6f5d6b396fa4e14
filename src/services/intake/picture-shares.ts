// Fair queueing of pictures: a sender that waits for little work goes before a sender that waits for much.

/** A sender of pictures: a case at a network address, or a key of an organisation. The names stay in this process's memory. */
export interface PictureSender {
  readonly group: string
  readonly member: string
}

export interface PictureShares {
  /**
   * Adds a picture to the waiting work of its sender.
   * @returns `behind`: the cost of waiting pictures of its group that precede it. `leave`: call it when the picture no longer waits.
   */
  enter(sender: PictureSender, cost: number): { readonly behind: number; readonly leave: () => void }
}

/**
 * Shares workers equally among groups, and within a group equally among members: everybody's first picture precedes anybody's second. Opening more
 * cases at one address gains no larger share, and other cases at that address get as much as each of them.
 */
export function createPictureShares(): PictureShares {
  const groups = new Map<string, Map<string, number>>()
  return {
    enter({ group, member }, cost) {
      const members = groups.get(group) ?? new Map<string, number>()
      groups.set(group, members)
      const own = members.get(member) ?? 0
      let behind = own
      for (const [other, waiting] of members) if (other !== member) behind += Math.min(waiting, own + cost)
      members.set(member, own + cost)
      let hasLeft = false
      const leave = () => {
        if (hasLeft) return
        hasLeft = true
        const left = (members.get(member) ?? 0) - cost
        if (left > 0) members.set(member, left)
        else members.delete(member)
        if (members.size === 0 && groups.get(group) === members) groups.delete(group)
      }
      return { behind, leave }
    },
  }
}
