/** Calls since the start. */
export type CallCount = {
  readonly participant: string
  /** `answered` (a reply or a rejection), `accepted` (202), or why there was no answer. */
  readonly outcome: string
  readonly count: number
}

/** What came of the calls of a process, for its metrics. */
export class CallCounts {
  readonly #counts = new Map<string, Map<string, number>>()

  add(participant: string, outcome: string): void {
    const ofOne = this.#counts.get(participant) ?? new Map<string, number>()
    this.#counts.set(participant, ofOne)
    ofOne.set(outcome, (ofOne.get(outcome) ?? 0) + 1)
  }

  all(): readonly CallCount[] {
    return [...this.#counts].flatMap(([participant, ofOne]) =>
      [...ofOne].map(([outcome, count]) => ({ participant, outcome, count }))
    )
  }
}
