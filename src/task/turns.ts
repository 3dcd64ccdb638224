/** Lets so many at a time do something, in the order in which they ask. */
export class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves with what gives the turn back; with undefined where `stop` resolves before it has come. */
  async enter(stop: Promise<void>): Promise<(() => void) | undefined> {
    if (this.#free > 0) {
      this.#free--
      return this.#leaver()
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    await Promise.race([promise, stop])
    const place = this.#waiting.indexOf(resolve)
    if (place < 0) return this.#leaver()
    this.#waiting.splice(place, 1)
    return undefined
  }

  #leaver(): () => void {
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
