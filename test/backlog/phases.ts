/** What one who asks again and again was given while something was so; latencies in ms. */
export type Phase = { readonly name: string; asked: number; readonly answeredMs: number[]; refused: number }

/** A question belongs to the phase that it was asked in, whenever its answer comes. */
export class Phases {
  readonly all: Phase[] = []

  enter(name: string): void {
    this.all.push({ name, asked: 0, answeredMs: [], refused: 0 })
  }

  /** Gives what to call with the answer; nothing counts before the first phase. */
  begin(): (isRefused?: boolean) => void {
    const [phase, since] = [this.all.at(-1), performance.now()]
    if (phase === undefined) return () => undefined
    phase.asked++
    return (isRefused = false) => {
      if (isRefused) phase.refused++
      else phase.answeredMs.push(performance.now() - since)
    }
  }
}

/** Never answered and never refused. */
export const lostIn = (phases: readonly Phase[]): number =>
  phases.reduce((lost, { asked, answeredMs, refused }) => lost + asked - answeredMs.length - refused, 0)
