/** Lets so many calls run at once; the others wait for their turn, first come first served. */
export const gateOf = (atOnceMax: number): (<T>(call: () => Promise<T>) => Promise<T>) => {
  let running = 0
  const waiting: (() => void)[] = []
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
  return async (call) => {
    // Who is let in by a leaving call takes over its place, so the number stays as it is.
    if (running < atOnceMax) running++
    else await new Promise<void>((enter) => waiting.push(enter))
    try {
      return await call()
    } finally {
      leave()
    }
  }
}
