/**
 * How many requests there were and how long they took, by route and status: a Prometheus histogram. Own, as it is on
 * the path of every request, where prom-client's labels cost more than the routing.
 */
export class RequestStats {
  readonly #series = new Map<string, Series>()

  /** `route` is the pattern, so that the number of series is bounded. */
  observe(method: string, route: string, status: number, elapsedMs: number): void {
    const key = `${method} ${route} ${status}`
    let series = this.#series.get(key)
    if (series === undefined) {
      const labels = `method="${method}",route="${route}",status="${status}"`
      series = { labels, buckets: boundsMs.map(() => 0), count: 0, sumMs: 0 }
      this.#series.set(key, series)
    }
    series.count++
    series.sumMs += elapsedMs
    const bucket = boundsMs.findIndex((bound) => elapsedMs <= bound)
    if (bucket >= 0) series.buckets[bucket]!++
  }

  text(): string {
    if (this.#series.size === 0) return ''
    const lines = [...this.#series.values()].flatMap(linesOf)
    return [`# HELP ${name} How long requests took`, `# TYPE ${name} histogram`, ...lines, ''].join('\n')
  }
}

type Series = { readonly labels: string; readonly buckets: number[]; count: number; sumMs: number }

const name = 'parcomolo_http_request_duration_seconds'
const boundsMs = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000, 2_000, 10_000, 60_000]

const linesOf = ({ labels, buckets, count, sumMs }: Series): string[] => {
  let total = 0
  const bounded = buckets.map((inBucket, i) => {
    total += inBucket
    return `${name}_bucket{${labels},le="${boundsMs[i]! / 1000}"} ${total}`
  })
  return [
    ...bounded,
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sumMs / 1000}`,
    `${name}_count{${labels}} ${count}`
  ]
}
